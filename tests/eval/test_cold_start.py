"""What is new, in a world where everybody likes one genre and no two genres share a user."""

import json
from dataclasses import replace

import numpy as np
import pytest

from scenewise.eval.cold_start import newcomers, run
from scenewise.eval.dataset import Dataset
from scenewise.eval.known import known_features
from scenewise.eval.protocols import interactions
from scenewise.store.errors import InputError
from scenewise.store.events import EventArrays
from scenewise.store.types import Item, ItemId, UserId
from scenewise.tools.catalogue.catalogue import Catalogue

N_USERS, N_ITEMS, N_EVENTS, N_GENRES = 60, 60, 10, 3


def dataset(*, domains: int = 1, told: bool = True) -> Dataset:
    """User u likes genre u % 3; items are spread over genres and, in their order, over domains."""
    rng = np.random.default_rng(0)
    user = np.repeat(np.arange(N_USERS, dtype=np.int32), N_EVENTS)
    item = np.concatenate([rng.permutation(N_ITEMS // N_GENRES)[:N_EVENTS] * N_GENRES + one % N_GENRES for one in range(N_USERS)])
    ids = tuple(ItemId(f"i{number:02}") for number in range(N_ITEMS))
    users = tuple(UserId(f"u{number:02}") for number in range(N_USERS))
    time_s = np.arange(len(user), dtype=np.float64)
    arrays = EventArrays(
        users, ids, user, item.astype(np.int32), np.full(len(user), np.nan, dtype=np.float32), time_s, ("play",) * len(user)
    )
    genres = [{"genre": (f"g{number % N_GENRES}",)} if told else {} for number in range(N_ITEMS)]
    items = [Item(one, f"d{number * domains // N_ITEMS}", one, attributes=genres[number]) for number, one in enumerate(ids)]
    return Dataset("genres", arrays, Catalogue.from_items(items))


def row(group: dict, model: str) -> dict:
    return next(one for one in group["rows"] if one["model"] == model)


def test_new_items_are_found_by_their_genre() -> None:
    result = run(dataset(), what="items", seeds=(0, 1), text=False)
    json.dumps(result)
    new = result["groups"]["new items"]
    assert row(new, "feature_regression")["ndcg@10"] > 0.5  # not 1: half of a genre is taken, and nothing tells which
    assert row(new, "feature_regression")["ndcg@10"] > row(new, "popularity of like items")["ndcg@10"] + 0.1
    assert new["comparison"]["against"]["popularity"]["low"] > 0
    assert {one["model"] for one in result["groups"]["all items"]["rows"]} == {one["model"] for one in new["rows"]}


def test_users_new_to_a_domain_are_served_from_elsewhere() -> None:
    result = run(dataset(domains=2), what="domains", seeds=(0, 1))
    json.dumps(result)
    assert result["groups"].keys() == {"d0", "d1"}
    for group in result["groups"].values():
        assert group["comparison"]["against"]["popularity"]["low"] > 0


def test_a_domain_that_nobody_else_has_is_skipped_and_said() -> None:
    world = dataset(domains=2)
    alone = world.arrays.item == 0
    items = [replace(item, domain="lonely") if item.item_id == "i00" else item for item in world.catalogue.items]
    arrays = replace(world.arrays, user=np.where(alone, 0, world.arrays.user).astype(np.int32))
    result = run(replace(world, arrays=arrays, catalogue=Catalogue.from_items(items)), what="domains", seeds=(0,))
    assert result["skipped"].keys() == {"lonely"}
    assert result["groups"].keys() == {"d0", "d1"}


def test_users_who_begin_are_served_better_with_each_event() -> None:
    result = run(dataset(), what="users", seeds=(0, 1))
    json.dumps(result)
    assert result["groups"].keys() == {"0", "1-5"}
    assert "6-20" in result["skipped"]
    assert row(result["groups"]["1-5"], "blend")["ndcg@10"] > row(result["groups"]["0"], "blend")["ndcg@10"] + 0.2


def test_nothing_of_a_newcomer_is_learned_from() -> None:
    events = interactions(dataset())
    validation, test = newcomers(events, 0)
    asked = {case.user for part in (validation, test) for one in part.values() for case in one.cases}
    assert asked
    train = test["0"].train
    assert not asked & {*train.sequences.user_of_event().tolist()}
    assert not {case.user for case in validation["0"].cases} & {case.user for case in test["0"].cases}
    for case in test["1-5"].cases:
        start = events.sequences.starts[case.user]
        assert case.rows.tolist() == events.sequences.rows[start : start + len(case.rows)].tolist()
        assert case.targets.tolist() == events.sequences.rows[start + len(case.rows) : start + len(case.rows) + 5].tolist()


def test_an_item_taken_twice_is_in_the_history_once_and_no_target() -> None:
    world = dataset()
    item = world.arrays.item.copy()
    item[3::N_EVENTS] = item[0::N_EVENTS]
    tests = newcomers(interactions(replace(world, arrays=replace(world.arrays, item=item))), 0)[1]
    for case in tests["1-5"].cases:
        assert len({*case.rows.tolist()}) == len(case.rows)
        assert not {*case.rows.tolist()} & {*case.targets.tolist()}


def test_what_cannot_be_asked_is_refused() -> None:
    with pytest.raises(InputError, match="choose items, domains, users"):
        run(dataset(), what="moods")
    with pytest.raises(InputError, match="one domain"):
        run(dataset(), what="domains")
    with pytest.raises(InputError, match="Nothing is known"):
        run(dataset(told=False), what="items", seeds=(0,))
    world = dataset()
    one_user = replace(world, arrays=replace(world.arrays, user=np.zeros_like(world.arrays.user)))
    with pytest.raises(InputError, match="Too few users"):
        newcomers(interactions(one_user), 0)


def test_a_set_of_bare_ids_needs_no_encoder() -> None:
    assert known_features(dataset(told=False)) is None
