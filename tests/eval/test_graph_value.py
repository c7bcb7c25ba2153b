"""A graph that says who goes with whom, against one that is dealt out anew."""

import json
from dataclasses import replace

import numpy as np
import pytest

from scenewise.eval.dataset import Dataset, Triples
from scenewise.eval.graph_value import rewire, run
from scenewise.eval.known import item_graph
from scenewise.store.errors import InputError
from scenewise.store.events import EventArrays
from scenewise.store.types import Item, ItemId, UserId
from scenewise.tools.catalogue.catalogue import Catalogue

N_USERS, N_ITEMS, N_EVENTS, N_GROUPS = 60, 60, 8, 6


def dataset() -> Dataset:
    """User u takes items of group u % 6; each item hangs on one of its group's three people and on a country that says nothing."""
    rng = np.random.default_rng(0)
    user = np.repeat(np.arange(N_USERS, dtype=np.int32), N_EVENTS)
    item = np.concatenate([rng.permutation(N_ITEMS // N_GROUPS)[:N_EVENTS] * N_GROUPS + one % N_GROUPS for one in range(N_USERS)])
    ids = tuple(ItemId(f"i{number:02}") for number in range(N_ITEMS))
    users = tuple(UserId(f"u{number:02}") for number in range(N_USERS))
    nothing, place = np.full(len(user), np.nan, dtype=np.float32), np.arange(len(user), dtype=np.float64)
    arrays = EventArrays(users, ids, user, item.astype(np.int32), nothing, place, ("play",) * len(user))
    rows = np.arange(N_ITEMS, dtype=np.int32)
    people = [N_ITEMS + 3 * (rows % N_GROUPS) + shift for shift in range(2)]
    countries = N_ITEMS + 3 * N_GROUPS + rng.integers(0, 2, N_ITEMS)
    triples = Triples(
        tuple(f"e{number}" for number in range(N_ITEMS + 3 * N_GROUPS + 2)),
        ("by", "from"),
        np.concatenate([rows, rows, rows]),
        np.repeat(np.asarray([0, 0, 1], dtype=np.int32), N_ITEMS),
        np.concatenate([*people, countries]).astype(np.int32),
        rows,
    )
    return Dataset("groups", arrays, Catalogue.from_items(Item(one, "music", one) for one in ids), graph=triples, ordered=False)


def test_rewiring_keeps_degrees_in_each_relation() -> None:
    triples = dataset().graph
    assert triples is not None
    dealt = rewire(triples, 1)
    assert (dealt.tails != triples.tails).any()
    for relation in (0, 1):
        of = triples.relations == relation
        assert dealt.heads[of].tolist() == triples.heads[of].tolist()
        assert sorted(dealt.tails[of].tolist()) == sorted(triples.tails[of].tolist())
    assert rewire(triples, 1).tails.tolist() == dealt.tails.tolist()


def test_triples_become_a_plain_graph() -> None:
    of = np.asarray([0, 0, 1, 2], dtype=np.int32), np.zeros(4, dtype=np.int32), np.asarray([1, 1, 0, 2], dtype=np.int32)
    graph = item_graph(Triples(("a", "b", "c"), ("r",), *of, np.asarray([2, -1], dtype=np.int32)))
    assert graph.weights.toarray().tolist() == [[0, 1, 0], [1, 0, 0], [0, 0, 0]]
    assert graph.node_of_item.tolist() == [2, -1]


def test_the_real_graph_finds_new_items_and_the_others_do_not() -> None:
    result = run(dataset(), seeds=(0, 1))
    json.dumps(result)
    new = {row["model"]: row["ndcg@10"] for row in result["new_items"]["rows"]}
    assert new["real"] > 0.9
    assert result["new_items"]["comparison"]["against"]["random"]["low"] > 0
    assert result["new_items"]["comparison"]["against"]["none"]["low"] > 0
    known = {row["model"] for row in result["known_items"]["rows"]}
    assert {"all", "all + real", "all + random", "all + none", "real", "random", "none"} <= known
    assert result["counts"]["items_in_graph"] == N_ITEMS


def test_a_set_without_a_graph_is_refused() -> None:
    world = dataset()
    assert world.graph is not None
    apart = replace(world.graph, entity_of_item=np.full(N_ITEMS, -1, dtype=np.int32))
    for one in (replace(world, graph=None), replace(world, graph=apart)):
        with pytest.raises(InputError, match="no graph"):
            run(one)
