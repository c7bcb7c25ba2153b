"""Reading dialogues and measuring one turn: what counts as a target, what is masked, and that folds never split a dialogue."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from scenewise.eval.conversation import FOLDS, _folds, _interval, _Table, run
from scenewise.eval.data.dialogues import read_domain, read_examples
from scenewise.store.errors import InputError
from scenewise.tools.dialogue.domain import Context, Example
from scenewise.tools.dialogue.reranker import RerankerConfig


class Letters:
    """An encoder that counts letters."""

    name, dim = "letters", 26

    def encode(self, texts: list[str]) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
        rows = np.array([[text.lower().count(chr(97 + i)) for i in range(26)] for text in texts], dtype=np.float32).reshape(-1, 26)
        return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9).astype(np.float32)


def write_world(folder: Path) -> Path:
    names = {"Heat (1995)": 0, "Big": 1, "Cars": 2, "comedy": 3, "crime": 4}
    info = {"7": {"name": "Heat (1995)", "genre": ["crime"], "plot": "A thief and a detective."}}
    graph = {"0": [[0, 4]], "1": [[0, 3]], "2": [[0, 3]]}
    for name, value in {"entity2id": names, "item_ids": [0, 1, 2], "kg": graph, "id2info": info}.items():
        (folder / f"{name}.json").write_text(json.dumps(value), encoding="utf-8")
    return folder


def test_a_domain_is_read_with_texts_and_years(tmp_path: Path) -> None:
    domain = read_domain(write_world(tmp_path))
    assert domain.relation_names == ("genre", "star", "director", "writer")
    assert domain.texts == ("Heat. crime. A thief and a detective.", "Big", "Cars")
    assert domain.years[0] == 1995
    assert np.isnan(domain.years[1])
    assert domain.facts().toarray()[:, 3:].tolist() == [[0, 1], [1, 0], [1, 0]]


@pytest.mark.parametrize("kg", [{"0": [[0, 99]]}, {"0": [[9, 3]]}, {"x": [[0, 3]]}, [1]])
def test_a_graph_that_does_not_fit_is_refused(tmp_path: Path, kg: object) -> None:
    write_world(tmp_path)
    (tmp_path / "kg.json").write_text(json.dumps(kg), encoding="utf-8")
    with pytest.raises(InputError):
        read_domain(tmp_path)


@pytest.mark.parametrize("line", ["{", '{"dialog_id": 1}', '{"dialog_id": 1, "context": "hi", "entity": [], "rec": []}', ""])
def test_a_bad_turn_is_named_by_its_line(tmp_path: Path, line: str) -> None:
    (tmp_path / "turns.jsonl").write_text(line, encoding="utf-8")
    with pytest.raises(InputError):
        read_examples(tmp_path / "turns.jsonl")


def test_new_items_only_leaves_out_what_the_context_names(tmp_path: Path) -> None:
    table = _Table(read_domain(write_world(tmp_path)))
    example = Example(Context("d", ("Big?",), ("Big",)), ("Big", "Cars", "unknown"), "")
    table.add([example], np.array([[0.2, 0.9, 0.2]], dtype=np.float32))
    every, new = (table.measured(table, new=flag) for flag in (False, True))
    assert every["targets"] == 3
    assert every["recall@1"] == pytest.approx(1 / 3, abs=1e-4)  # Big first; Cars ties with Heat and comes third; unknown is missed
    assert every["mrr"] == pytest.approx((1 + 1 / 3) / 3, abs=1e-4)
    assert new["targets"] == 2
    assert (new["recall@1"], new["recall@5"]) == (0.0, 0.5)
    assert new["mrr"] == pytest.approx(1 / 4, abs=1e-4)


def test_folds_keep_dialogues_whole_and_intervals_hold_the_mean() -> None:
    cases = [Example(Context(str(i // 3), (), ()), ()) for i in range(60)]
    folds = _folds(cases, 0)
    assert {*folds.tolist()} == {*range(FOLDS)}
    assert all(len({*folds[start : start + 3].tolist()}) == 1 for start in range(0, 60, 3))
    low, high = _interval(np.array([0.0, 1.0] * 20), np.arange(40))
    assert 0.3 < low < 0.5 < high < 0.7


def test_a_run_measures_the_fusion_beside_the_plain_heuristic(tmp_path: Path) -> None:
    domain = read_domain(write_world(tmp_path))
    cases = [
        Example(Context(str(i), (("a comedy", "crime please")[i % 2],), (("comedy", "crime")[i % 2],)), (("Cars", "Heat (1995)")[i % 2],))
        for i in range(20)
    ]
    thorough = RerankerConfig(epochs=40, learning_rate=3e-2)  # few turns make few steps
    result = run(domain, cases, None, Letters(), ablation=False, config=thorough)
    assert {*result["new"]} == {"fusion", "plain"}
    assert result["new"]["fusion"]["recall@1"] >= 0.9
    assert result["counts"] == {"cases": 20, "train": 20, "items": 3, "entities": 5}
    with_train = run(domain, cases[:4], cases[4:], Letters(), ablation=True)
    assert "without graph" in with_train["all"]
    assert with_train["new"]["plain"]["targets"] == 4
