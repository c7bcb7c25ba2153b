"""The ranking benchmark as a whole: what the table holds, that order is found where there is order, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from scenewise.eval.baselines import families
from scenewise.eval.data import read
from scenewise.eval.ranking import OURS, run
from scenewise.store.errors import InputError
from scenewise.store.store import Store
from scenewise.store.types import Event, Item, ItemId, UserId

HEAD = "user_id:token\titem_id:token\trating:float\ttimestamp:float\n"
N_USERS, N_ITEMS = 60, 25


@pytest.fixture
def inter(tmp_path: Path) -> Path:
    """People walk through the items in one order, each from another place and at another time, with some ties in time."""
    rng = np.random.default_rng(0)
    lines = [
        f"u{user}\ti{(user + step) % N_ITEMS}\t{rng.integers(1, 6)}\t{1000 * user + 10 * (step // 2)}"
        for user in range(N_USERS)
        for step in range(10)
    ]
    path = tmp_path / "walk.inter"
    path.write_text(HEAD + "\n".join(lines) + "\n")
    return path


def test_no_model_may_try_more_than_its_budget() -> None:
    for tries in (1, 3, 8):
        for family in families(100, None, ordered=True, ease_items=1_000, seed=0).values():
            assert 1 <= sum(len(recencies) for _, recencies in family.within(tries)) <= tries


def test_models_that_do_not_fit_the_set_are_left_out() -> None:
    assert "ease" not in families(100, None, ordered=True, ease_items=99, seed=0)
    assert not {"transition_knn", "recent_popularity"} & families(100, None, ordered=False, ease_items=1_000, seed=0).keys()


def test_a_protocol_that_is_not_there_is_refused(inter: Path) -> None:
    with pytest.raises(InputError, match="choose loo, temporal, given"):
        run(read(inter), protocol="random")


def test_users_with_two_events_are_too_few_to_validate_on(tmp_path: Path) -> None:
    (tmp_path / "short.inter").write_text(HEAD + "u\ta\t4\t1\nu\tb\t4\t2\nv\ta\t4\t3\n")
    with pytest.raises(InputError, match="enough events"):
        run(read(tmp_path / "short.inter"), seeds=(0,))


@pytest.mark.slow
def test_the_whole_table_on_data_where_order_is_everything(inter: Path) -> None:
    table = run(read(inter), seeds=(0, 1), tries=2, text=False)
    assert json.loads(json.dumps(table)) == table
    rows = {row["model"]: row for row in table["rows"]}
    assert {"popularity", "ease", "als", "transition_knn", "transition_knn, order shuffled", "transformer", OURS} <= rows.keys()
    for row in rows.values():
        for name in ("hr@10", "ndcg@10", "recall@20", "mrr", "coverage", "candidate_recall@200"):
            assert 0 <= row[name] <= 1
        assert len(row["settings"]) == len(row["ndcg@10_by_seed"]) == 2
    for name in ("transition_knn", "transformer", OURS):
        assert rows[name]["ndcg@10"] > 2 * rows["popularity"]["ndcg@10"]
    assert rows["transition_knn"]["ndcg@10"] > rows["transition_knn, order shuffled"]["ndcg@10"]
    comparison = table["comparison"]
    assert comparison["users"] == N_USERS
    assert comparison["model"] == OURS
    assert set(comparison["against"]) == rows.keys() - {OURS}
    assert sum(group["n"] for group in rows[OURS]["by_history"]) == 2 * N_USERS


@pytest.mark.slow
def test_a_store_is_measured_like_a_file(tmp_path: Path) -> None:
    with Store.open(tmp_path / "store", create=True, purpose="test") as store:
        store.items.upsert([Item(ItemId(f"i{n}"), "movies", f"Film {n}") for n in range(8)])
        store.events.add(
            [Event(UserId(f"u{u}"), ItemId(f"i{(u + n) % 8}"), "play", None, 100.0 * n + u) for u in range(12) for n in range(5)]
        )
    table = run(read(tmp_path / "store"), seeds=(0,), tries=1, text=False, without=frozenset({"transformer"}))
    assert table["counts"] == {"users": 12, "items": 8, "events": 60, "questions": [12]}
    assert "transformer" not in {row["model"] for row in table["rows"]}
