from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from scenewise.store import Edge
from scenewise.store.contradictions import settle

YEAR = frozenset({"year"})


def said(value: str, source: str = "s", confidence: float = 0.8, since_s: float | None = None, *, denied: bool = False) -> Edge:
    return Edge("item:a", "year", f"year:{value}", source, confidence=confidence, valid_from_s=since_s, denied=denied)


def test_the_surer_source_is_believed_whatever_the_order() -> None:
    sure, unsure = said("1999", "x", 0.9), said("2000", "y", 0.8, 50.0)
    assert settle([sure, unsure], single=YEAR) == settle([unsure, sure], single=YEAR) == [sure]
    assert settle([sure, unsure]) == [sure, unsure]  # a relation that may hold several


def test_of_equally_sure_ones_the_later_then_the_source_that_ranks_first() -> None:
    old, new = said("1999", "x", since_s=10.0), said("2000", "y", since_s=20.0)
    assert settle([old, new], single=YEAR) == [new]
    ever = said("1999", "x")
    assert settle([ever, old, said("2001", "z", since_s=5.0)], single=YEAR) == [ever, old]
    x, y, z = said("1999", "x"), said("2000", "y"), said("2001", "z")
    assert settle([x, y, z], single=YEAR, ranks=("y", "x")) == [y]
    assert settle([z, x], single=YEAR, ranks=("y", "x")) == [x]
    assert settle([z, y, x], single=YEAR) == [x]  # nothing tells them apart: the first object in order


def test_who_says_the_same_with_less_confidence_stays() -> None:
    sure, same, other = said("1999", "x", 0.9), said("1999", "y", 0.1), said("2000", "z", 0.8)
    assert settle([other, same, sure], single=YEAR) == [same, sure]


def test_a_denial_takes_out_what_is_not_surer_and_never_shows() -> None:
    no = said("1999", "x", 0.8, denied=True)
    assert settle([no]) == []
    assert settle([said("1999", "y", 0.7), no]) == []
    assert settle([said("1999", "y", 0.8), no]) == []  # of equal ones the denial
    surer = said("1999", "y", 0.9)
    assert settle([no, surer]) == [surer]
    assert settle([surer, no, said("2000", "z", 0.1)], single=YEAR) == [surer]
    assert settle([said("1999", "y", 0.7), no, said("2000", "z", 0.1)], single=YEAR) == [said("2000", "z", 0.1)]
    assert settle([replace(no, subject="item:b"), said("1999", "y", 0.7)]) == [said("1999", "y", 0.7)]


@given(
    st.lists(
        st.builds(
            said,
            st.sampled_from(["1", "2", "3"]),
            st.sampled_from(["x", "y", "z"]),
            st.sampled_from([0.2, 0.5, 1.0]),
            st.sampled_from([None, 1.0, 2.0]),
            denied=st.booleans(),
        ),
        max_size=8,
    ),
    st.randoms(),
)
def test_one_value_is_left_and_it_depends_on_no_order(edges: list[Edge], random) -> None:
    settled = settle(edges, single=YEAR, ranks=("z",))
    assert len({edge.object for edge in settled}) <= 1
    assert not any(edge.denied for edge in settled)
    mixed = edges[:]
    random.shuffle(mixed)
    assert {*settle(mixed, single=YEAR, ranks=("z",))} == {*settled}
    assert settle(settled, single=YEAR, ranks=("z",)) == settled
