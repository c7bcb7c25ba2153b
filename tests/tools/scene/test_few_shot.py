from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenewise.store.errors import InputError
from scenewise.tools.retrieval.encoders import Encoders, default_encoders
from scenewise.tools.scene.few_shot import Examples, TextClassifier
from scenewise.tools.scene.regression import energy, fit_softmax, log_softmax
from scenewise.tools.scene.rehearsal import fit_head

TEXTS = {
    "alarm": ["wake me up at seven", "set an alarm for six", "cancel my morning alarm", "alarm at noon", "叫我八点起床", "取消闹钟"],
    "weather": ["will it rain today", "how cold is it outside", "do I need an umbrella", "sunny tomorrow?", "今天会下雨吗", "外面冷不冷"],
    "lights": ["turn off the lamp", "make the bedroom brighter", "dim the lights", "switch on the hall light", "关灯", "把灯调亮"],
    "music": ["play some jazz", "next song please", "put on my playlist", "louder music", "放一首歌", "下一首"],
}
EXAMPLES = Examples.of([t for texts in TEXTS.values() for t in texts], [label for label, texts in TEXTS.items() for _ in texts])


@pytest.fixture(scope="module")
def encoders() -> Encoders:
    return default_encoders()


@pytest.fixture(scope="module")
def classifier(encoders: Encoders) -> TextClassifier:
    return TextClassifier.train(EXAMPLES, encoders)


def test_softmax_regression_finds_the_logit_of_a_table() -> None:
    # without features that tell apart, 30 of 40 are label 1: the log-odds are log 3
    weights, bias = fit_softmax(np.zeros((40, 2), dtype=np.float32), np.repeat(np.array([0, 1]), [10, 30]), 2)
    assert weights == pytest.approx(np.zeros((2, 2)), abs=1e-6)
    assert bias[1] - bias[0] == pytest.approx(np.log(3), abs=1e-3)


def test_log_softmax_and_energy_by_hand() -> None:
    logits = np.log(np.array([[1, 3]], dtype=np.float32))
    assert np.exp(log_softmax(logits)).ravel() == pytest.approx([0.25, 0.75])
    assert energy(logits) == pytest.approx([np.log(2)])
    assert energy(np.full((1, 5), 1000.0, dtype=np.float32)) == pytest.approx([1000])


def test_a_head_is_sure_of_what_is_far_apart_and_doubts_what_is_nowhere() -> None:
    random = np.random.default_rng(0)
    centres = np.eye(8, dtype=np.float32)
    rows = np.repeat(centres, 8, axis=0) + 0.1 * random.normal(size=(64, 8)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    head = fit_head([rows], np.repeat(np.arange(8), 8), 8)
    log_p, none = head.read([np.vstack([centres, -np.ones((1, 8), dtype=np.float32) / np.sqrt(8)]).astype(np.float32)])
    assert log_p[:8].argmax(axis=1).tolist() == list(range(8))
    assert np.exp(log_p[:8].max(axis=1)).min() > 0.9
    assert none[8] > 0 > none[:8].max()
    assert head.nearest([centres[:1]], 3) in range(24, 32)


@pytest.mark.parametrize(
    ("text", "label"),
    [("get me up at half past six", "alarm"), ("is it going to snow", "weather"), ("把灯打开", "lights"), ("来点音乐", "music")],
)
def test_both_languages_are_read(classifier: TextClassifier, text: str, label: str) -> None:
    log_p, _ = classifier.read([text])
    assert classifier.names[int(log_p[0].argmax())] == label


def test_many_read_as_one_by_one(classifier: TextClassifier) -> None:
    texts = ["is it going to snow", "把灯打开", "who wrote Hamlet"]
    together, none = classifier.read(texts)
    alone = [classifier.read([text]) for text in texts]
    assert together == pytest.approx(np.vstack([log_p for log_p, _ in alone]), abs=1e-3)
    assert none == pytest.approx(np.concatenate([odds for _, odds in alone]), abs=1e-3)


def test_what_is_kept_reads_the_same(classifier: TextClassifier, encoders: Encoders, tmp_path: Path) -> None:
    path = tmp_path / "deep" / "kept.safetensors"
    classifier.save(path, version="1")
    kept = TextClassifier.load(path, encoders, version="1")
    assert kept is not None
    assert kept.read(["is it going to snow"])[0] == pytest.approx(classifier.read(["is it going to snow"])[0])
    assert kept.nearest("will it rain today", 3) == "will it rain today"
    assert [entry.name for entry in path.parent.iterdir()] == ["kept.safetensors"]
    assert TextClassifier.load(path, encoders, version="2") is None
    assert TextClassifier.load(tmp_path / "gone", encoders, version="1") is None
    path.write_bytes(path.read_bytes()[:100])
    assert TextClassifier.load(path, encoders, version="1") is None


def test_tuning_pulls_labels_together_and_is_kept(encoders: Encoders, tmp_path: Path) -> None:
    tuned = TextClassifier.train(EXAMPLES, encoders, tune=True)
    assert tuned.is_tuned
    tuned.save(tmp_path / "tuned", version="1")
    kept = TextClassifier.load(tmp_path / "tuned", encoders, version="1")
    assert kept is not None
    assert kept.is_tuned
    text = "get me up at half past six"
    assert kept.read([text])[0] == pytest.approx(tuned.read([text])[0], abs=1e-4)
    assert tuned.names[int(tuned.read([text])[0].argmax())] == "alarm"
    assert TextClassifier.train(EXAMPLES, encoders, tune=True).read([text])[0] == pytest.approx(tuned.read([text])[0], abs=1e-4)


def test_examples_that_cannot_be() -> None:
    with pytest.raises(InputError, match="no example of any label"):
        Examples.of([], [])
    with pytest.raises(InputError, match="no example of any label"):
        Examples.of(["a"], [None], names=["x"])
    with pytest.raises(InputError, match="more of the one"):
        Examples.of(["a"], ["x", "y"])
    with pytest.raises(InputError, match="not among the names"):
        Examples.of(["a"], ["x"], names=["y"])


@settings(max_examples=30, deadline=None)
@given(st.text(max_size=80))
def test_any_text_has_probabilities(classifier: TextClassifier, text: str) -> None:
    log_p, none = classifier.read([text])
    assert np.exp(log_p).sum() == pytest.approx(1, abs=1e-4)
    assert np.isfinite(none).all()
