import doctest
from pathlib import Path

import pytest

from scenewise.store import Store
from scenewise.store.demo import build
from scenewise.store.demo.build import build_demo, turn_title
from scenewise.store.errors import InputError, NotFound

FILES = {
    "x.item": (
        "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\n"
        "100\tFargo\t1996\tCrime Drama\n127\tGodfather, The\t1972\tAction\n"
    ),
    "x.user": "user_id:token\tage:token\n1\t24\n",
    "x.inter": "user_id:token\titem_id:token\trating:float\ttimestamp:float\n1\t100\t5\t881250949\n2\t127\t4\t881250950\n",
    "x.kg": "head_id:token\trelation_id:token\ttail_id:token\nm.1\tfilm.film.directed_by\tm.7\nm.7\tfilm.director.film\tm.1\n",
    "x.link": "item_id:token\tentity_id:token\n100\tm.1\n",
}


@pytest.fixture
def movielens(tmp_path: Path) -> Path:
    folder = tmp_path / "movielens"
    folder.mkdir()
    for name, content in FILES.items():
        (folder / name).write_text(content)
    return folder


@pytest.mark.parametrize(
    ("title", "turned"),
    [
        ("Fargo", "Fargo"),
        ("Godfather, The", "The Godfather"),
        ("Bronx Tale, A", "A Bronx Tale"),
        ("American in Paris, An", "An American in Paris"),
        ("Misérables, Les", "Les Misérables"),
        ("Enfer, L'", "L'Enfer"),
        (
            "Double vie de Véronique, La (Double Life of Veronique, The)",
            "La Double vie de Véronique (The Double Life of Veronique)",
        ),
        ("Contempt (Mépris, Le)", "Contempt (Le Mépris)"),
        ("Slingshot, The (Kådisbellan )", "The Slingshot (Kådisbellan )"),
        ("Good, The Bad and The Ugly, The", "The Good, The Bad and The Ugly"),
        ("I, Worst of All (Yo, la peor de todas)", "I, Worst of All (Yo, la peor de todas)"),
        ("Paris, Texas", "Paris, Texas"),
        ("The", "The"),
        ("", ""),
    ],
)
def test_titles(title: str, turned: str) -> None:
    assert turn_title(title) == turned
    assert doctest.testmod(build).failed == 0


def test_the_demo_is_built_once(store: Store, movielens: Path) -> None:
    reports = build_demo(store, movielens)
    assert {name: reports[name].written for name in ("items", "users", "events", "edges")} == {
        "items": 2,
        "users": 1,
        "events": 2,
        "edges": 1,
    }
    assert all(report.quarantined == {} for report in reports.values())
    fargo = store.items.get("100")
    assert (fargo.domain, fargo.title, fargo.year, fargo.text) == ("movies", "Fargo", 1996, "")
    assert store.items.get("127").title == "The Godfather"
    assert [edge.relation for edge in store.edges.of("item:100")] == ["directed_by"]
    revision = store.revision()
    assert all(report.written == 0 for report in build_demo(store, movielens).values())
    assert store.revision() == revision


def test_the_catalogue_is_sound(store: Store, movielens: Path) -> None:
    reports = {name: report for name, report in build_demo(store, movielens).items() if name.startswith("catalogue/")}
    assert len(reports) == len(list(build.CATALOGUE.glob("*.jsonl"))) > 0
    for report in reports.values():
        assert (report.kind, report.quarantined, report.skipped, report.ignored) == ("items", {}, {}, ())
        assert report.written == report.read > 0
    written = sum(report.written for report in reports.values())
    assert store.items.count() == written + 2


def test_a_folder_that_is_not_movielens(store: Store, movielens: Path) -> None:
    (movielens / "y.item").write_text(FILES["x.item"])
    with pytest.raises(InputError, match=r"several \.item"):
        build_demo(store, movielens)
    (movielens / "x.kg").unlink()
    (movielens / "y.item").unlink()
    with pytest.raises(NotFound, match=r"no \.kg"):
        build_demo(store, movielens)
    assert store.items.count() == 0
