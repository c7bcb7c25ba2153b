from dataclasses import replace

import pytest

from scenewise.store import Edge, InputError, NotFound, Store

FACT = Edge("item:a", "creator", "creator:Joel Coen", "imdb", evidence="row 7", confidence=0.9, valid_from_s=10.0)


def test_adding_twice_is_adding_once(store: Store) -> None:
    always = replace(FACT, valid_from_s=None)
    other_source = replace(FACT, source="wikidata")
    assert store.edges.add([FACT, always, other_source, FACT]) == 3
    revision = store.revision()
    assert store.edges.add([always, FACT]) == 0
    assert store.revision("edges") == revision
    assert list(store.edges.all()) == [FACT, always, other_source]
    assert store.edges.count() == 3


def test_the_same_fact_may_get_other_evidence(store: Store) -> None:
    store.edges.add([FACT])
    better = replace(FACT, evidence="row 8", confidence=1.0)
    assert store.edges.add([better]) == 0
    assert list(store.edges.all()) == [better]


def test_all_gives_those_valid_at_a_time(store: Store) -> None:
    edges = [
        replace(FACT, source="always", valid_from_s=None),
        replace(FACT, source="from ten", valid_from_s=10.0),
        replace(FACT, source="till twenty", valid_from_s=None, valid_to_s=20.0),
        replace(FACT, source="between", valid_from_s=10.0, valid_to_s=20.0),
    ]
    store.edges.add(edges)

    def valid(as_of_s: float) -> list[str]:
        return [edge.source for edge in store.edges.all(as_of_s)]

    assert valid(9.9) == ["always", "till twenty"]
    assert valid(10.0) == ["always", "from ten", "till twenty", "between"]
    assert valid(20.0) == ["always", "from ten"]
    assert len(list(store.edges.all())) == 4


def test_all_reads_several_batches(store: Store) -> None:
    edges = [replace(FACT, object=f"entity:{number}") for number in range(12_000)]
    store.edges.add(edges)
    assert list(store.edges.all()) == edges


def test_of_gives_both_directions(store: Store) -> None:
    edges = [Edge("item:a", "like", "item:b", "s"), Edge("item:b", "like", "item:c", "s"), Edge("item:c", "like", "item:d", "s")]
    store.edges.add(edges)
    assert store.edges.of("item:b") == edges[:2]
    assert store.edges.of("item:zzz") == []


def test_a_closed_edge_stays_closed_when_it_is_imported_again(store: Store) -> None:
    store.edges.add([FACT])
    store.edges.close(FACT, 30.0)
    closed = replace(FACT, valid_to_s=30.0)
    assert list(store.edges.all(29.0)) == [closed]
    assert list(store.edges.all(30.0)) == []
    store.edges.add([FACT])
    assert list(store.edges.all()) == [closed]


def test_closing_wants_an_edge_of_the_store_and_a_time_after_its_beginning(store: Store) -> None:
    with pytest.raises(NotFound):
        store.edges.close(FACT, 30.0)
    store.edges.add([FACT])
    for at_s in (9.0, float("nan"), float("inf")):
        with pytest.raises(InputError):
            store.edges.close(FACT, at_s)


@pytest.mark.parametrize(
    "edge",
    [
        replace(FACT, subject="a"),
        replace(FACT, object=""),
        replace(FACT, relation=""),
        replace(FACT, source=""),
        replace(FACT, confidence=1.1),
        replace(FACT, confidence=float("nan")),
        replace(FACT, valid_to_s=9.0),
        replace(FACT, valid_from_s=float("nan")),
    ],
)
def test_what_is_no_edge_is_refused_whole(store: Store, edge: Edge) -> None:
    with pytest.raises(InputError):
        store.edges.add([FACT, edge])
    assert store.edges.count() == 0
