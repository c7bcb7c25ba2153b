import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenewise.store.errors import InputError
from scenewise.store.types import Item, ItemId
from scenewise.tools.catalogue.catalogue import Catalogue
from scenewise.tools.ranking.mmr import diversify
from scenewise.tools.ranking.model import RankedItem

CATALOGUE = Catalogue.from_items(
    [
        *(Item(ItemId(f"crime{n}"), "movies", "", attributes={"genre": ("Crime",)}) for n in range(4)),
        *(Item(ItemId(f"love{n}"), "movies", "", attributes={"genre": ("Romance",)}) for n in range(3)),
        *(Item(ItemId(f"song{n}"), "music", "", attributes={"mood": ("calm",)}) for n in range(2)),
        Item(ItemId("dish"), "recipes", ""),
    ]
)


def ranked(*names: str) -> list[RankedItem]:
    return [RankedItem(ItemId(name), 0.9 - 0.1 * place, {}) for place, name in enumerate(names)]


def ids(items: tuple[RankedItem, ...]) -> list[str]:
    return [one.item_id for one in items]


def test_relevance_alone_keeps_the_order() -> None:
    names = ["crime0", "crime1", "crime2", "love0"]
    assert ids(diversify(ranked(*names), 4, catalogue=CATALOGUE, relevance_share=1.0)) == names


def test_diversity_brings_another_genre_forward() -> None:
    got = diversify(ranked("crime0", "crime1", "love0"), 2, catalogue=CATALOGUE, relevance_share=0.4)
    assert ids(got) == ["crime0", "love0"]


def test_by_hand() -> None:
    # log-odds of .9, .8, .7 scale to 1, .41, 0; crime1 is like crime0 (1 + 1) / 2, the song 0
    # .7 * .41 - .3 * 1 = -.01 for crime1, .7 * 0 - 0 = 0 for the song
    got = diversify(ranked("crime0", "crime1", "song0"), 2, catalogue=CATALOGUE, relevance_share=0.7)
    assert ids(got) == ["crime0", "song0"]


def test_vectors_tell_items_of_one_genre_apart() -> None:
    near, far = np.array([1.0, 0.0], np.float32), np.array([0.0, 1.0], np.float32)
    vectors = {ItemId("crime0"): near, ItemId("crime1"): near, ItemId("crime2"): far}
    got = diversify(ranked("crime0", "crime1", "crime2"), 2, catalogue=CATALOGUE, relevance_share=0.2, vectors=vectors)
    assert ids(got) == ["crime0", "crime2"]


def test_asked_domains_get_a_place() -> None:
    some = ranked("crime0", "crime1", "love0", "love1", "crime2", "song1", "song0", "dish")
    asked = frozenset({"music", "recipes", "books"})
    got = ids(diversify(some, 3, catalogue=CATALOGUE, relevance_share=1.0, ensure_domains=asked))
    assert got == ["crime0", "song1", "dish"]


def test_more_asked_domains_than_places() -> None:
    some = ranked("crime0", "song0", "dish")
    asked = frozenset({"music", "recipes", "movies"})
    assert ids(diversify(some, 2, catalogue=CATALOGUE, relevance_share=1.0, ensure_domains=asked)) == ["crime0", "song0"]


@given(
    st.lists(st.sampled_from([one.item_id for one in CATALOGUE.items]), unique=True, max_size=10),
    st.integers(min_value=0, max_value=12),
    st.floats(min_value=0, max_value=1),
    st.frozensets(st.sampled_from(["movies", "music", "recipes", "apps"])),
)
def test_each_item_once_and_each_asked_domain_where_there_is_room(names: list[str], k: int, share: float, asked: frozenset[str]) -> None:
    got = ids(diversify(ranked(*names), k, catalogue=CATALOGUE, relevance_share=share, ensure_domains=asked))
    assert len(got) == len(set(got)) == min(k, len(names))
    assert set(got) <= set(names)
    domain = {one.item_id: one.domain for one in CATALOGUE.items}
    owed = {domain[ItemId(name)] for name in names} & asked
    assert len({domain[ItemId(name)] for name in got} & owed) >= min(len(owed), len(got))


def test_wrong_arguments() -> None:
    with pytest.raises(InputError, match="relevance_share"):
        diversify([], 1, catalogue=CATALOGUE, relevance_share=1.5)
    with pytest.raises(InputError, match="catalogue"):
        diversify(ranked("nowhere"), 1, catalogue=CATALOGUE)
