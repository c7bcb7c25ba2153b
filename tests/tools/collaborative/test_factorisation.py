"""The factorisation machine against sums worked out by hand, and what its fields do with what they never saw."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from scenewise.store.errors import InputError, NotFound, StoreError
from scenewise.tools.collaborative.factorisation import Columns, Factorisation, FactorisationConfig, Words
from scenewise.tools.collaborative.factorisation.fields import Fields
from scenewise.tools.collaborative.factorisation.network import Network
from scenewise.tools.collaborative.factorisation.training import auc, outputs

NAN = float("nan")


def words(names: str, *code: int) -> Words:
    return Words(tuple(names), np.asarray(code, dtype=np.int32))


def numbers(*values: float) -> np.ndarray:
    return np.asarray(values, dtype=np.float32)


def checkerboard() -> tuple[Columns, np.ndarray]:
    """A click where user and item are both even or both odd: neither tells anything alone."""
    user, item = (grid.ravel().astype(np.int32) for grid in np.meshgrid(np.arange(8), np.arange(8)))
    columns = {"user": Words(tuple("abcdefgh"), user), "item": Words(tuple("ABCDEFGH"), item)}
    return columns, ((user + item) % 2 == 0).astype(np.float32)


def fitted(**settings: object) -> tuple[Factorisation, Columns, np.ndarray]:
    columns, clicks = checkerboard()
    config = FactorisationConfig.model_validate({"k": 4, "l2": 0.0, "dropout": 0.0, "lr": 0.05, "spread": 0.1, "device": "cpu", **settings})
    return Factorisation(config).fit(columns, clicks), columns, clicks


def test_a_row_is_bias_and_weights_and_the_products_of_all_pairs() -> None:
    network = Network(FactorisationConfig(k=2), n_rows=3, field_of_slot=[0, 1, 2], start=0.5).eval()
    with torch.no_grad():
        network.weights.copy_(torch.tensor([[1.0], [2.0], [3.0]]))
        network.factors.copy_(torch.tensor([[1.0, 2.0], [3.0, -1.0], [0.0, 4.0]]))
    place, share = torch.tensor([[0, 1, 2]]), torch.tensor([[1.0, 1.0, 0.5]])
    # pairs: <(1,2),(3,-1)> = 1, <(1,2),(0,2)> = 4, <(3,-1),(0,2)> = -2; weights: 1 + 2 + 1.5
    assert float(outputs(network, place, share)) == pytest.approx(0.5 + 4.5 + 3.0)


def test_values_of_one_field_are_averaged_and_not_paired() -> None:
    network = Network(FactorisationConfig(k=1), n_rows=3, field_of_slot=[0, 0, 1]).eval()
    with torch.no_grad():
        network.factors.copy_(torch.tensor([[2.0], [4.0], [5.0]]))
    assert float(outputs(network, torch.tensor([[0, 1, 2]]), torch.tensor([[0.5, 0.5, 1.0]]))) == pytest.approx(15.0)


def test_fields_know_words_unknown_words_and_what_is_missing() -> None:
    fields = Fields.fit({"w": words("abc", 0, 0, 1), "x": numbers(1, 3, NAN)})
    slots = fields.encode({"w": words("bzc", 0, 1, 2, -1), "x": numbers(2, 3, NAN, 1e9)})
    assert fields.starts == [0, 3, 4]  # unknown, a, b; then the number
    assert slots.place[:, 0].tolist() == [2, 0, 0, 0]  # c was never seen in training
    assert slots.share[:, 0].tolist() == [1, 1, 1, 0]
    assert slots.share[:, 1].tolist() == [0, 1, 0, 4]  # mean 2, deviation 1; the far one is cut


def test_words_seen_too_seldom_are_unknown() -> None:
    assert Fields.fit({"w": words("abc", 0, 0, 1, 2, 2)}, min_count=2).vocabularies["w"] == ("a", "c")


def test_several_words_share_their_field() -> None:
    fields = Fields.fit({"genres": Words(("x", "y"), np.array([[0, 1], [1, -1]], dtype=np.int32))})
    slots = fields.encode({"genres": Words(("y", "x"), np.array([[0, 1], [1, -1], [-1, -1]], dtype=np.int32))})
    assert slots.place.tolist() == [[2, 1], [1, 0], [0, 0]]
    assert slots.share.tolist() == [[0.5, 0.5], [1, 0], [0, 0]]


@pytest.mark.parametrize(
    "columns",
    [
        {},
        {"w": words("a", 0), "x": numbers(1, 2)},
        {"w": words("a", 1)},
        {"w": words("a", -2)},
        {"x": numbers(float("inf"))},
    ],
)
def test_columns_that_do_not_go_together_are_refused(columns: Columns) -> None:
    with pytest.raises(InputError):
        Fields.fit(columns)


@pytest.mark.parametrize("columns", [{"other": words("a", 0)}, {"w": numbers(1)}, {"x": words("a", 0)}])
def test_columns_of_other_fields_or_kinds_are_refused(columns: Columns) -> None:
    fields = Fields.fit({"w": words("a", 0), "x": numbers(1)})
    with pytest.raises(InputError, match="field"):
        fields.encode(columns)


@pytest.mark.parametrize("hidden", [(), (8,)])
def test_pairs_are_learned_that_a_linear_model_cannot_learn(hidden: tuple[int, ...]) -> None:
    model, columns, clicks = fitted(hidden=hidden, head_dropout=0.0)
    linear, _, _ = fitted(k=0)
    assert auc(model.predict(columns), clicks > 0) == 1.0
    assert np.ptp(linear.predict(columns)) < 0.2


def test_ratings_are_learned_and_stay_within_the_scale() -> None:
    columns, clicks = checkerboard()
    config = FactorisationConfig(target="rating", k=4, l2=0.0, dropout=0.0, lr=0.05, spread=0.1, device="cpu")
    said = Factorisation(config).fit(columns, 1 + 4 * clicks).predict(columns)
    assert said.min() >= 1
    assert said.max() <= 5
    np.testing.assert_allclose(said, 1 + 4 * clicks, atol=0.3)


def test_contributions_add_up_to_the_log_odds() -> None:
    for settings in ({"members": 2}, {"hidden": (8,)}):
        model, columns, clicks = fitted(**settings)
        model = model.fit(columns, clicks, validation=(columns, clicks))
        parts = model.contributions(columns)
        assert parts.fields == ("user", "item")
        np.testing.assert_allclose(1 / (1 + np.exp(-parts.total())), model.predict(columns), atol=1e-5)


def test_the_same_seed_gives_the_same_model_and_leaves_the_world_alone() -> None:
    torch.manual_seed(7)
    before = torch.random.get_rng_state()
    first, columns, _ = fitted(epochs=3)
    second, _, _ = fitted(epochs=3)
    other, _, _ = fitted(epochs=3, seed=1)
    assert torch.equal(before, torch.random.get_rng_state())
    np.testing.assert_array_equal(first.predict(columns), second.predict(columns))
    assert (first.predict(columns) != other.predict(columns)).any()


def test_parts_looked_up_apart_give_the_same() -> None:
    model, columns, _ = fitted(epochs=3)
    user, items = model.encode({"user": words("c", 0)}), model.encode({"item": columns["item"]})
    whole = {"user": Words(("c",), np.zeros(len(items), dtype=np.int32)), "item": columns["item"]}
    np.testing.assert_array_equal(model.score(user.beside(items)), model.predict(whole))


def test_training_stops_without_progress_and_keeps_its_best_epoch() -> None:
    columns, clicks = checkerboard()
    seen: list[tuple[int, int]] = []
    config = FactorisationConfig(k=0, epochs=50, patience=2, members=2, device="cpu")
    model = Factorisation(config).fit(columns, clicks, validation=(columns, clicks), report=lambda done, total: seen.append((done, total)))
    assert seen[0] == (1, 100)
    assert [done for done, _ in seen] == list(range(1, len(seen) + 1))
    assert len(seen) < 100
    assert model.slope > 0


@pytest.mark.parametrize("targets", [numbers(), numbers(1, NAN), numbers(0, 2)])
def test_targets_that_cannot_be_learned_are_refused(targets: np.ndarray) -> None:
    with pytest.raises(InputError):
        Factorisation().fit({"w": words("a", *[0] * len(targets))}, targets)


def test_one_row_and_one_class_are_no_error() -> None:
    config = FactorisationConfig(hidden=(4,), epochs=2, device="cpu")
    said = Factorisation(config).fit({"w": words("a", 0)}, numbers(1), validation=({"w": words("a", 0)}, numbers(1)))
    assert np.isfinite(said.predict({"w": words("a", 0)})).all()


def test_a_head_without_factors_is_refused() -> None:
    with pytest.raises(ValidationError):
        FactorisationConfig(k=0, hidden=(4,))


def test_a_file_brings_the_model_back(tmp_path: Path) -> None:
    path = tmp_path / "new" / "model.safetensors"
    for settings in ({"members": 2}, {"hidden": (8,)}):
        model, columns, _ = fitted(epochs=3, **settings)
        model.save(path)
        np.testing.assert_array_equal(Factorisation.load(path).predict(columns), model.predict(columns))
        assert [one.name for one in path.parent.iterdir()] == ["model.safetensors"]


def test_missing_and_damaged_files_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        Factorisation.load(tmp_path / "none")
    (tmp_path / "bad").write_bytes(b"no tensors")
    with pytest.raises(StoreError, match="damaged"):
        Factorisation.load(tmp_path / "bad")


def test_auc_counts_ties_half() -> None:
    assert auc(numbers(1, 1, 0), np.array([True, False, False])) == pytest.approx(0.75)
    assert np.isnan(auc(numbers(1, 2), np.array([True, True])))
