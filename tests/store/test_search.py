import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scenewise.store import Item, ItemId, Store

TITLES = {
    "blade": ("Blade Runner", "A hunter in the rain."),
    "amelie": ("Amélie", "A waitress in Paris, a blade of grass."),
    "redemption": ("肖申克的救赎", "希望是好事"),
    "spirited": ("千と千尋の神隠し", ""),
    "parasite": ("기생충 Parasite", ""),
}


@pytest.fixture
def library(store: Store) -> Store:
    store.items.upsert(
        Item(ItemId(item_id), "movies", title, text=text, attributes={"genre": ("Science Fiction",) if item_id == "blade" else ()})
        for item_id, (title, text) in TITLES.items()
    )
    return store


def find(store: Store, query: str, k: int = 10) -> list[str]:
    return [item_id for item_id, _ in store.items.search_text(query, k)]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("blade", ["blade", "amelie"]),  # the title counts more than the text
        ("RUNNER", ["blade"]),
        ("amelie", ["amelie"]),
        ("AMÉLIE!", ["amelie"]),
        ("paris nowhere", ["amelie"]),
        ("fiction", ["blade"]),
        ("genre", []),  # names of attributes are not words of the item
        ("救赎", ["redemption"]),
        ("申", ["redemption"]),
        ("赎", ["redemption"]),
        ("好事", ["redemption"]),
        ("神隠し", ["spirited"]),
        ("기생충", ["parasite"]),
        ("看parasite", ["parasite"]),
        ("赎救", []),
        ("", []),
        ("  \t\n", []),
        ('"', []),
        ("* OR NOT ( ^ : { } -", []),
        ("\0", []),
        ("🎬", []),
        ("_", []),
        ("bla\0de runner", ["blade"]),
        ("title:runner", ["blade"]),
    ],
)
def test_queries_find_what_they_should(library: Store, query: str, expected: list[str]) -> None:
    assert find(library, query) == expected


def test_scores_are_positive_and_sorted_and_k_limits(library: Store) -> None:
    found = library.items.search_text("a in the blade", 10)
    scores = [score for _, score in found]
    assert scores == sorted(scores, reverse=True)
    assert min(scores) > 0
    assert library.items.search_text("a in the blade", 1) == found[:1]
    assert library.items.search_text("blade", 0) == library.items.search_text("blade", -1) == []


def test_a_changed_item_is_found_by_its_new_words_only(library: Store) -> None:
    library.items.upsert([Item(ItemId("blade"), "movies", "Sharp 银翼杀手")])
    assert find(library, "sharp") == find(library, "杀手") == ["blade"]
    assert find(library, "runner") == find(library, "fiction") == []
    library.items.delete([ItemId("blade")])
    assert find(library, "sharp") == []
    with library._database.writing() as connection:
        connection.exec_driver_sql("INSERT INTO items_fts (items_fts, rank) VALUES ('integrity-check', 1)")


def test_a_very_long_query_is_answered(library: Store) -> None:
    assert find(library, "blade " + " ".join(f"word{number}" for number in range(100_000))) == ["blade", "amelie"]


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(query=st.text(st.characters(), max_size=40))
def test_no_query_raises(library: Store, query: str) -> None:
    for _, score in library.items.search_text(query, 5):
        assert score > 0
