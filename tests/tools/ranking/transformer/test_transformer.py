import importlib.util
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from scipy.sparse import csr_matrix

from scenewise.store.errors import InputError, NotFound, StoreError
from scenewise.tools.collaborative.interactions import Interactions, from_columns
from scenewise.tools.features import ItemFeatures
from scenewise.tools.ranking.transformer import SequenceTransformer, TransformerConfig

_kit_path = Path(__file__).parents[2] / "collaborative" / "conformance.py"
_spec = importlib.util.spec_from_file_location("collaborative_conformance", _kit_path)
assert _spec is not None
assert _spec.loader is not None
kit = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(kit)

TINY = TransformerConfig(
    dim=16, blocks=1, heads=2, max_length=12, dropout=0.1, epochs=15, tokens=64, lr=0.02, moment_dropout=0.2, device="cpu"
)


def tiny(**settings: object) -> TransformerConfig:
    return TINY.model_copy(update=settings)


def make() -> SequenceTransformer:
    return SequenceTransformer(TINY)


def rows(*of: int) -> np.ndarray:
    return np.asarray(of, dtype=np.int32)


def ones(n: int) -> np.ndarray:
    return np.ones(n, dtype=np.float32)


def cycles(n_users: int = 60, n_items: int = 10, *, shape_items: int | None = None, n_scenes: int = 0) -> Interactions:
    """Everybody walks upwards from some item, six steps; in scene 1 downwards."""
    start = np.random.default_rng(1).integers(0, n_items, n_users)
    scene = np.arange(n_users) % n_scenes if n_scenes else np.zeros(n_users, dtype=int)
    walk = (start[:, None] + np.where(scene, -1, 1)[:, None] * np.arange(6)) % n_items
    users = np.repeat(np.arange(n_users), 6)
    scenes = np.repeat(scene, 6).astype(np.int16) if n_scenes else None
    shape = (n_users, shape_items or n_items)
    return from_columns(users, walk.ravel(), np.tile(np.arange(6.0), n_users), ones(len(users)), shape=shape, scenes=scenes)


@pytest.fixture(scope="module")
def walker() -> SequenceTransformer:
    data = cycles()
    return SequenceTransformer(tiny(epochs=25)).fit(data.matrix, data.sequences)


@pytest.mark.parametrize("check", [*kit.PERSONAL, *kit.COMMON], ids=lambda check: check.__name__)
def test_conforms(check: Callable[[object], None]) -> None:
    check(make)


def test_sampled_loss_learns_as_well() -> None:
    kit.check_finds_what_was_left_out(lambda: SequenceTransformer(tiny(loss="sampled", n_negatives=6)))


def test_a_file_brings_it_back_and_holds_no_pickle(tmp_path: Path) -> None:
    kit.check_a_file_brings_the_model_back(make, tmp_path)
    with safe_open(tmp_path / "new" / "model.npz", framework="np") as file:
        assert TransformerConfig.model_validate_json(json.loads(file.metadata()["words"])["config"]) == TINY


def test_order_counts(walker: SequenceTransformer) -> None:
    for item in range(10):
        up = walker.scores(rows(item, (item + 1) % 10), ones(2))
        assert int(up.argmax()) == (item + 2) % 10


def test_a_state_does_not_see_what_comes_later(walker: SequenceTransformer) -> None:
    from scenewise.tools.ranking.transformer.samples import history
    from scenewise.tools.ranking.transformer.training import on_device

    batch = on_device(history(ones(4), max_length=12))
    one, other = (torch.from_numpy(walker.items[rows(1, 2, 3, last)]) for last in (4, 9))
    with torch.inference_mode():
        first, second = walker.network(one, batch)[0], walker.network(other, batch)[0]
    assert torch.equal(first[:4], second[:4])  # the start and three events
    assert not torch.allclose(first[4], second[4])


def test_a_batch_gives_what_single_histories_give(walker: SequenceTransformer) -> None:
    from scenewise.tools.ranking.transformer.samples import Samples
    from scenewise.tools.ranking.transformer.training import last_states

    users = np.repeat([0, 1], [3, 5])
    data = from_columns(users, np.array([1, 2, 3, 4, 5, 6, 7, 8]), np.arange(8.0), ones(8), shape=(2, 10))
    _, [question] = Samples.of(data.sequences, data.worth, np.array([0, 1]), 12)
    assert question.target.tolist() == [3, 8]
    with torch.inference_mode():
        states = walker.network.users(last_states(walker.network, torch.from_numpy(walker.items), question.batch)).numpy()
    unit = walker.items / np.linalg.norm(walker.items, axis=1, keepdims=True)
    for state, history in zip(states, (rows(1, 2), rows(4, 5, 6, 7)), strict=True):
        logits = unit @ state
        shares = np.exp(logits) / np.exp(logits).sum()
        np.testing.assert_allclose(shares, walker.scores(history, ones(len(history))), atol=1e-6)


def test_the_scene_moves_the_list() -> None:
    data = cycles(120, n_scenes=2)
    model = SequenceTransformer(tiny(epochs=25)).fit(data.matrix, data.sequences)
    up, down = (model.scores_in(rows(5), ones(1), scene=scene) for scene in (0, 1))
    assert (int(up.argmax()), int(down.argmax())) == (6, 4)
    unaware = SequenceTransformer(tiny(scenes=False)).fit(data.matrix, data.sequences)
    np.testing.assert_array_equal(unaware.scores_in(rows(5), ones(1), scene=1), unaware.scores(rows(5), ones(1)))


def test_without_a_history_the_scene_and_tastes_speak() -> None:
    users = np.arange(80)  # in scene 0 people begin with item 0, in scene 1 with item 1; then both see item 2 and 3
    data = from_columns(
        np.repeat(users, 3),
        np.stack((users % 2, np.full(80, 2), np.full(80, 3)), axis=1).ravel(),
        np.tile(np.arange(3.0), 80),
        ones(240),
        shape=(80, 5),
        scenes=np.repeat(users % 2, 3).astype(np.int16),
    )
    model = SequenceTransformer(TINY).fit(data.matrix, data.sequences)
    nothing = rows(), ones(0)
    assert not model.scores(*nothing).any()
    for scene in (0, 1):
        assert int(model.scores_in(*nothing, scene=scene).argmax()) == scene
    assert int(model.scores_in(*nothing, tastes=model.items[0]).argmax()) == 2
    unknown = model.scores_in(*nothing, scene=77)
    np.testing.assert_array_equal(unknown, model.scores_in(*nothing))


def test_an_item_without_events_stands_where_its_features_say() -> None:
    # two worlds of ten items; an item of each has never been met
    data = kit.checkerboard()
    kept = ~np.isin(data.sequences.rows, (0, 1))
    users = data.sequences.user_of_event()[kept]
    seen = from_columns(users, data.sequences.rows[kept], data.sequences.times_s[kept], ones(int(kept.sum())), shape=(40, 20))
    world = np.arange(20) % 2
    text = np.random.default_rng(0).normal(0, 0.1, (20, 6)).astype(np.float32)
    text[np.arange(20), world] += 1
    attributes = csr_matrix((np.ones(20, dtype=np.float32), (np.arange(20), world)))
    for features in (
        ItemFeatures(csr_matrix((20, 0), dtype=np.float32), np.zeros(20, np.int16), text),
        ItemFeatures(attributes, np.zeros(20, np.int16)),
        ItemFeatures(attributes, np.zeros(20, np.int16), text, text),
    ):
        model = SequenceTransformer(tiny(id_dropout=0.3), features).fit(seen.matrix, seen.sequences)
        scores = model.scores(rows(2, 4, 6), ones(3))
        assert scores[0] > scores[1::2].max()
        assert scores[1] < scores[2::2].min()
    assert not make().fit(seen.matrix, seen.sequences).scores(rows(2, 4), ones(2))[:2].any()


def test_over_another_catalogue() -> None:
    data = kit.checkerboard()
    world = np.arange(21) % 2
    attributes = csr_matrix((np.ones(21, dtype=np.float32), (np.arange(21), world)))
    before = ItemFeatures(attributes[:20], np.zeros(20, np.int16))
    model = SequenceTransformer(tiny(id_dropout=0.3), before).fit(data.matrix, data.sequences)
    moved = np.concatenate(([-1], np.arange(20)[::-1])).astype(np.int32)  # a new first item, the others the other way round
    after = ItemFeatures(attributes[np.concatenate(([20], np.arange(20)[::-1]))], np.zeros(21, np.int16))
    wider = model.over(after, moved)
    scores = wider.scores(rows(20, 18), ones(2))  # items 0 and 2
    np.testing.assert_allclose(np.delete(scores, 0)[::-1] / (1 - scores[0]), model.scores(rows(0, 2), ones(2)), atol=1e-5)
    assert scores[0] > scores[1::2].max()
    plain = model.over(None, moved).scores(rows(20, 18), ones(2))
    np.testing.assert_allclose(plain[:0:-1], model.scores(rows(0, 2), ones(2)), atol=1e-6)
    with pytest.raises(InputError, match="columns"):
        model.over(ItemFeatures(csr_matrix((21, 5), dtype=np.float32), np.zeros(21, np.int16)), moved)


def test_going_on_from_an_earlier_model_with_more_items_and_scenes(walker: SequenceTransformer) -> None:
    more = cycles(90, 12, n_scenes=2)
    model = SequenceTransformer(tiny(epochs=20, seed=5)).fit(more.matrix, more.sequences, start=walker)
    assert len(model.items) == 12
    up = model.scores_in(rows(10), ones(1), scene=0)
    assert int(up.argmax()) == 11
    with pytest.raises(InputError, match="start from"):
        SequenceTransformer(tiny(dim=8)).fit(more.matrix, more.sequences, start=walker)
    fewer = cycles(20, 8)
    with pytest.raises(InputError, match="more items"):
        SequenceTransformer(TINY).fit(fewer.matrix, fewer.sequences, start=walker)


def test_ages_are_looked_at_where_they_are_given() -> None:
    # a short while after item 0 comes 1, a long while after it 2
    users = np.repeat(np.arange(100), 2)
    long = np.arange(100) % 2
    items = np.stack((np.zeros(100, int), 1 + long), axis=1).ravel()
    times_s = np.stack((np.zeros(100), np.where(long, 1e6, 5.0)), axis=1).ravel()
    data = from_columns(users, items, times_s, ones(200), shape=(100, 4))
    model = SequenceTransformer(tiny(ages=True)).fit(data.matrix, data.sequences)
    for age_s, item in ((5.0, 1), (1e6, 2)):
        assert int(model.scores_in(rows(0), ones(1), ages_s=np.array([age_s]))[1:].argmax()) + 1 == item
    assert np.isfinite(model.scores(rows(0), ones(1))).all()


def test_worth_is_the_weight_in_the_loss() -> None:
    users = np.repeat(np.arange(90), 2)
    second = np.where(np.arange(90) % 3 == 0, 1, 2)  # two of three go on to item 2, but it is worth little
    items = np.stack((np.zeros(90, int), second), axis=1).ravel()
    worth = np.where(items == 2, 0.1, 1.0).astype(np.float32)
    data = from_columns(users, items, np.tile(np.arange(2.0), 90), worth, shape=(90, 3))
    scores = SequenceTransformer(tiny(n_held_back=0)).fit(data.matrix, data.sequences).scores(rows(0), ones(1))
    assert scores[1] > scores[2]


def test_the_seed_decides() -> None:
    data = cycles()
    first, other = (SequenceTransformer(tiny(seed=seed, epochs=2)).fit(data.matrix, data.sequences) for seed in (1, 2))
    before = torch.random.get_rng_state()
    again = SequenceTransformer(tiny(seed=1, epochs=2)).fit(data.matrix, data.sequences)
    assert torch.equal(torch.random.get_rng_state(), before)
    np.testing.assert_array_equal(first.items, again.items)
    assert not np.allclose(first.items, other.items)


def test_training_ends_early_at_the_best_epoch() -> None:
    data = cycles(300)
    told: list[tuple[str, int, int]] = []
    model = SequenceTransformer(tiny(epochs=40, patience=2)).fit(data.matrix, data.sequences, report=lambda *words: told.append(words))
    assert model.course is not None
    assert model.course.epoch < 40
    assert model.course.best == model.course.measures[model.course.best_epoch - 1] == 1.0
    assert told[-1][0] == "ranker"
    assert told[-1][1] * 40 == told[-1][2] * model.course.epoch


def test_minutes_end_a_training() -> None:
    data = cycles()
    model = SequenceTransformer(tiny(minutes=1e-9)).fit(data.matrix, data.sequences)
    assert model.course is not None
    assert model.course.epoch == 1


_CUT = """
import json, os, signal, sys
from pathlib import Path
import numpy as np
from scenewise.tools.collaborative.interactions import from_columns
from scenewise.tools.ranking.transformer import SequenceTransformer, TransformerConfig
import torch
torch.set_num_threads(1)
rows = np.random.default_rng(0).integers(0, 10, 300)
data = from_columns(np.repeat(np.arange(50), 6), rows, np.arange(300.0), np.ones(300, np.float32), shape=(50, 10))
def report(what, done, total):
    if done == int(sys.argv[3]):
        os.kill(os.getpid(), signal.SIGKILL)
folder = Path(sys.argv[1])
model = SequenceTransformer(TransformerConfig.model_validate_json(sys.argv[2]))
model.fit(data.matrix, data.sequences, checkpoint=folder / "checkpoint", report=report).save(folder / "model")
"""


@pytest.mark.slow
def test_a_killed_training_goes_on_where_it_was(tmp_path: Path) -> None:
    config = tiny(epochs=4).model_dump_json()

    def train(name: str, stop: int) -> Path:
        (tmp_path / name).mkdir(exist_ok=True)
        subprocess.run([sys.executable, "-c", _CUT, str(tmp_path / name), config, str(stop)], check=stop == 0, timeout=100)
        return tmp_path / name / "model"

    whole = train("whole", 0)
    assert not train("cut", 14).exists()  # killed in the third epoch
    with safe_open(tmp_path / "cut" / "checkpoint", framework="np") as file:
        assert json.loads(json.loads(file.metadata()["words"])["course"])["epoch"] == 2
    resumed = train("cut", 0)
    np.testing.assert_array_equal(SequenceTransformer.load(resumed).items, SequenceTransformer.load(whole).items)
    assert sorted(path.name for path in (tmp_path / "cut").iterdir()) == ["checkpoint", "model"]


def test_a_checkpoint_that_is_damaged_or_of_other_data_is_not_gone_on_from(tmp_path: Path) -> None:
    data, other = cycles(), cycles(61)
    path = tmp_path / "checkpoint"
    wanted = SequenceTransformer(tiny(epochs=2)).fit(data.matrix, data.sequences).items
    path.write_bytes(b"half a file")
    np.testing.assert_array_equal(SequenceTransformer(tiny(epochs=2)).fit(data.matrix, data.sequences, checkpoint=path).items, wanted)
    SequenceTransformer(tiny(epochs=2)).fit(other.matrix, other.sequences, checkpoint=path)
    np.testing.assert_array_equal(SequenceTransformer(tiny(epochs=2)).fit(data.matrix, data.sequences, checkpoint=path).items, wanted)


def test_files_that_are_missing_damaged_or_of_another_catalogue_say_so(walker: SequenceTransformer, tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        SequenceTransformer.load(tmp_path / "nothing")
    (tmp_path / "bad").write_bytes(b"not tensors")
    with pytest.raises(StoreError, match="damaged"):
        SequenceTransformer.load(tmp_path / "bad")
    walker.save(tmp_path / "model")
    assert SequenceTransformer.load(tmp_path / "model", n_items=10).course is None
    with pytest.raises(StoreError, match="10 items and the catalogue has 11"):
        SequenceTransformer.load(tmp_path / "model", n_items=11)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -1.0])
def test_bad_weights_are_refused(bad: float) -> None:
    data = cycles()
    data.matrix.data[0] = bad
    with pytest.raises(InputError):
        make().fit(data.matrix, data.sequences)


def test_what_does_not_belong_together_is_refused() -> None:
    data = cycles()
    with pytest.raises(InputError, match="sequences"):
        make().fit(data.matrix)
    with pytest.raises(InputError, match="users and items"):
        make().fit(data.matrix[:5], data.sequences)
    features = ItemFeatures(csr_matrix((3, 1), dtype=np.float32), np.zeros(3, np.int16))
    with pytest.raises(InputError, match="features"):
        SequenceTransformer(TINY, features).fit(data.matrix, data.sequences)
    with pytest.raises(ValueError, match="heads"):
        TransformerConfig(dim=10, heads=4)


@pytest.mark.slow
def test_a_million_events_of_one_user() -> None:
    kit.check_a_million_events_of_one_user(lambda: SequenceTransformer(tiny(epochs=1, tokens=1024, n_negatives=256)))
