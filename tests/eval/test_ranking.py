import json
from pathlib import Path

import numpy as np
import pytest

from scenewise.eval.ranking import evaluate, load_recbole_inter, make_splits, run, single_models
from scenewise.store.errors import InputError, NotFound
from scenewise.store.store import Store
from scenewise.store.types import Event, Item, ItemId, UserId
from scenewise.tools.collaborative.interactions import interactions_of, learn_worth

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


def test_reading_an_inter_file(tmp_path: Path) -> None:
    path = tmp_path / "a.inter"
    path.write_text(HEAD + "b\ty\t4\t7\na\tx\t2.5\t9\n")
    arrays, catalogue = load_recbole_inter(path)
    assert (arrays.user_ids, arrays.item_ids) == (("a", "b"), ("x", "y"))
    assert arrays.user.tolist() == [1, 0]
    assert arrays.item.tolist() == [1, 0]
    assert arrays.value.tolist() == [4.0, 2.5]
    assert arrays.time_s.tolist() == [7.0, 9.0]
    assert [item.item_id for item in catalogue.items] == ["x", "y"]


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", HEAD, HEAD + "u\ti\t4\n", HEAD + "u\ti\t4\tnoon\n"])
def test_files_that_are_something_else_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "bad.inter").write_text(text)
    with pytest.raises(InputError):
        run(tmp_path / "bad.inter", seeds=(0,))


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        run(tmp_path / "nothing.inter")


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_leave_last_out_fits_on_nothing_it_asks_for(inter: Path, seed: int) -> None:
    arrays, catalogue = load_recbole_inter(inter)
    everything = interactions_of(arrays, catalogue, learn_worth(arrays))
    validation, test = make_splits(everything, "leave_last_out", seed)
    for split in (validation, test):
        users = split.train.sequences.user_of_event()
        pairs = set(zip(users.tolist(), split.train.sequences.rows.tolist(), strict=True))
        assert len(split.cases) == N_USERS
        assert not pairs & {(case.user, case.target) for case in split.cases}
        assert not {(case.user, case.target) for case in split.cases} & set(zip(*split.train.matrix.nonzero(), strict=True))
        assert all(case.target not in case.rows for case in split.cases)
    asked = {(case.user, case.target) for case in test.cases}
    users, rows = validation.train.sequences.user_of_event(), validation.train.sequences.rows
    assert not asked & set(zip(users.tolist(), rows.tolist(), strict=True))
    assert all(test_case.target not in case.rows for case, test_case in zip(validation.cases, test.cases, strict=True))


@pytest.mark.parametrize("seed", [0, 1])
def test_temporal_fits_before_the_cutoff_only(inter: Path, seed: int) -> None:
    arrays, catalogue = load_recbole_inter(inter)
    everything = interactions_of(arrays, catalogue, learn_worth(arrays))
    validation, test = make_splits(everything, "temporal", seed)
    assert validation.cutoff_s is not None
    assert test.cutoff_s is not None
    assert validation.cutoff_s < test.cutoff_s
    for split in (validation, test):
        assert split.train.sequences.times_s.max() < split.cutoff_s
        assert split.train.matrix.nnz <= len(split.train.sequences.rows)
    last_s = {user: arrays.time_s[arrays.user == user].max() for user in range(N_USERS)}
    assert {case.user for case in test.cases} == {user for user, time_s in last_s.items() if time_s >= test.cutoff_s}
    assert all(last_s[case.user] >= validation.cutoff_s for case in validation.cases)
    assert validation.train.sequences.times_s.max() < validation.cutoff_s <= test.cutoff_s


def test_ties_are_shuffled_by_seed_and_order_in_time_is_kept(inter: Path) -> None:
    arrays, catalogue = load_recbole_inter(inter)
    everything = interactions_of(arrays, catalogue, learn_worth(arrays))
    tests = [make_splits(everything, "leave_last_out", seed)[1] for seed in (0, 0, 1)]
    targets = [[case.target for case in test.cases] for test in tests]
    assert targets[0] == targets[1] != targets[2]
    for test in tests:
        times_s, users = test.train.sequences.times_s, test.train.sequences.user_of_event()
        assert (np.diff(times_s)[np.diff(users) == 0] >= 0).all()


def test_all_models_have_equal_budgets() -> None:
    assert max(len(settings) for settings in single_models(0).values()) == 8


@pytest.mark.slow
def test_the_whole_table_on_data_where_order_is_everything(inter: Path) -> None:
    steps: list[tuple[int, int | None]] = []
    table = run(inter, seeds=(0, 1), progress=lambda done, total: steps.append((done, total)))
    assert steps[-1] == (20, 20)
    assert json.loads(json.dumps(table)) == table
    rows = {row["model"]: row for row in table["rows"]}
    assert set(rows) == {*single_models(0), "transition_knn, order shuffled", "fused"}
    for row in rows.values():
        for name in ("hr@10", "ndcg@10", "recall@20", "mrr", "coverage", "candidate_recall"):
            assert 0 <= row[name] <= 1
        assert len(row["settings"]) == 2
    assert rows["transition_knn"]["ndcg@10"] > 2 * rows["popularity"]["ndcg@10"]
    assert rows["fused"]["ndcg@10"] > 2 * rows["popularity"]["ndcg@10"]
    comparison = table["comparison"]
    assert comparison["users"] == N_USERS
    assert comparison["fused_vs_best"]["low"] <= comparison["fused_vs_best"]["mean"] <= comparison["fused_vs_best"]["high"]
    assert comparison["best_single"] in single_models(0)


@pytest.mark.slow
def test_a_store_gives_the_same_table_as_its_file(inter: Path, tmp_path: Path) -> None:
    arrays, catalogue = load_recbole_inter(inter)
    with Store.open(tmp_path / "walk", create=True) as store:
        store.items.upsert(Item(item.item_id, item.domain, item.title) for item in catalogue.items)
        columns = zip(arrays.user.tolist(), arrays.item.tolist(), arrays.value.tolist(), arrays.time_s.tolist(), strict=True)
        store.events.add(
            Event(UserId(arrays.user_ids[u]), ItemId(arrays.item_ids[i]), "rating", value, time_s) for u, i, value, time_s in columns
        )
    table = run(tmp_path / "walk", split="temporal", seeds=(0,))
    other = evaluate(arrays, catalogue, dataset="walk", split="temporal", seeds=(0,))
    assert table["counts"] == other["counts"]
    assert table["protocol"]["split"] == "temporal"
    assert table["rows"][0]["ndcg@10"] == pytest.approx(other["rows"][0]["ndcg@10"], abs=0.05)


def test_nobody_to_ask_is_said(tmp_path: Path) -> None:
    (tmp_path / "few.inter").write_text(HEAD + "u\ti\t4\t1\n")
    with pytest.raises(InputError, match="hold some back"):
        run(tmp_path / "few.inter", seeds=(0,))
