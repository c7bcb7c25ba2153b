"""Which scene a moment is, with an exact account of what spoke for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from threading import Lock
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from scenewise.store.errors import InputError
from scenewise.store.types import Moment
from scenewise.tools.retrieval.encoders import Encoders, TextEncoder, Vectors
from scenewise.tools.scene.pack import NO_SCENE, ScenePack
from scenewise.tools.scene.reading import SceneReading, Signal
from scenewise.tools.scene.signals import Term, read_signals

# Fixed on the development moments of tests/tools/scene/moments.toml; similarities are in standard deviations (see the class).
_NEIGHBOUR_WEIGHTS = (0.5, 0.3, 0.2)
_THRESHOLD = 2.0
_SCALE = 3.0
_FLOOR = -3.5
_MIN_PROBABILITY = 0.4
# Cosines of unrelated sentences, where a pack has too few scenes to measure them: about the same in both encoders.
_BACKGROUND = (0.17, 0.11)


class SceneRecogniser:
    """A log-linear model of the scene given words and circumstances (naive Bayes over the signals, Hand and Yu 2001).

    For scene s, with none as the reference whose log-odds are 0:

        log-odds(s) = words(s) + device(s) + time(s) + weekday(s) + place(s) + speed(s)
        P(s) = exp(log-odds(s)) / (1 + sum over scenes)         P(none) = 1 / (1 + sum over scenes)

    The signals are log-likelihood ratios (see `read_signals`). The words compare the text with a scene's examples:

        z(e)     = (cos(text, e) - m) / d      m, d: mean and deviation of the cosine between examples of different scenes
        z(s)     = 0.5 z1 + 0.3 z2 + 0.2 z3    over the scene's three nearest examples
        words(s) = max(-3.5, 3 (z(s) - 2))

    so a text that is no one scene, or empty, leaves every scene at the prior of -3.5 and none wins unless signals speak, and the
    same constants serve any encoder. The encoder goes by the text's script; the English one sees only the examples it can read.
    """

    def __init__(self, pack: ScenePack, encoders: Encoders, *, vectors: Mapping[str, Vectors] | None = None) -> None:
        """Prepare for a pack. `vectors` are what `state()` gave for this pack: encoder name -> float32 (n_examples, dim)."""
        self.pack = pack
        self._encoders = encoders
        self._given = dict(vectors or {})
        self._examples: dict[str, _Examples] = {}
        self._lock = Lock()

    def state(self) -> Mapping[str, Vectors]:
        """Encode all examples and return them by encoder name, each float32 (n_examples, dim), to be kept by the caller.

        Keep them by `pack.version`: they fit no other pack.
        """
        both = (self._encoders.english, self._encoders.multilingual)
        return MappingProxyType({encoder.name: self._examples_in(encoder).vectors for encoder in both})

    def recognise(self, text: str, moment: Moment) -> SceneReading:
        """Read the scene. `scene` is None when none is likeliest or the likeliest stays under 0.4.

        The signals' shares are those of the scene (of none, where `scene` is None) against the average scene; they are in the
        order of their size, and empty where nothing spoke.
        """
        words = self._read_words(text)
        terms = [*([words] if words else []), *read_signals(self.pack, moment)]
        prior = 0.0 if words else _FLOOR
        log_odds = prior + np.sum([term.log_ratio for term in terms], axis=0) if terms else np.full(len(self.pack.scenes), prior)
        probabilities = _softmax(np.append(log_odds, 0.0))  # (n_scenes + 1,)
        best = int(np.argmax(probabilities))
        is_scene = best < len(self.pack.scenes) and probabilities[best] >= _MIN_PROBABILITY
        winner = best if is_scene else None
        names = (*self.pack.names, NO_SCENE)
        return SceneReading(
            scene=names[best] if is_scene else None,
            probability=float(probabilities[best if is_scene else -1]),
            probabilities=MappingProxyType({name: float(p) for name, p in zip(names, probabilities, strict=True)}),
            signals=self._account(text, terms, winner),
        )

    def _read_words(self, text: str) -> Term | None:
        if not text.strip():
            return None
        similarity = self._examples_in(self._encoders.pick(text)).similarity(self._encoders.encode_one(text)[1])
        return Term("words", "", np.maximum(_FLOOR, _SCALE * (similarity - _THRESHOLD)))

    def _account(self, text: str, terms: Sequence[Term], winner: int | None) -> tuple[Signal, ...]:
        parts = [(0.0 if winner is None else float(term.log_ratio[winner])) - float(term.log_ratio.mean()) for term in terms]
        total = sum(abs(part) for part in parts)
        if total < 1e-9:
            return ()
        signals = [
            Signal(term.name, term.value or self._show_words(text, term, winner), part / total)
            for term, part in zip(terms, parts, strict=True)
        ]
        return tuple(sorted(signals, key=lambda signal: -abs(signal.share)))

    def _show_words(self, text: str, words: Term, winner: int | None) -> str:
        """The winner's example that the text is nearest to; words that are near nothing, or only near several, have none."""
        if winner is None or words.log_ratio[winner] <= _FLOOR:
            return "no one scene"
        examples = self._examples_in(self._encoders.pick(text))
        return f"like {examples.nearest(self._encoders.encode_one(text)[1], winner)!r}"

    def _examples_in(self, encoder: TextEncoder) -> _Examples:
        with self._lock:
            if encoder.name not in self._examples:
                english = encoder is self._encoders.english and encoder is not self._encoders.multilingual
                texts, scenes = _examples_for(self.pack, self._encoders if english else None)
                vectors = self._given.get(encoder.name)
                vectors = encoder.encode(texts) if vectors is None else vectors
                if vectors.shape != (len(texts), encoder.dim):
                    raise InputError("The kept vectors belong to another scene pack: leave them out, and they are made again")
                self._examples[encoder.name] = _Examples(texts, scenes, vectors, len(self.pack.scenes))
            return self._examples[encoder.name]


class _Examples:
    """A pack's examples in one encoder. vectors: float32 (n_examples, dim); scenes: int64 (n_examples,)."""

    def __init__(self, texts: Sequence[str], scenes: NDArray[np.int64], vectors: Vectors, n_scenes: int) -> None:
        self.texts = tuple(texts)
        self.vectors = vectors
        self._rows = [np.flatnonzero(scenes == scene) for scene in range(n_scenes)]
        apart = (vectors @ vectors.T)[scenes[:, None] != scenes[None, :]]
        self._mean, self._deviation = (float(apart.mean()), float(apart.std())) if len(apart) > 20 else _BACKGROUND

    def similarity(self, vector: Vectors) -> NDArray[np.float64]:
        """Standardised similarity of a text to each scene: float64 (n_scenes,)."""
        z = ((self.vectors @ vector).astype(np.float64) - self._mean) / max(self._deviation, 1e-6)
        return np.array([_pool(z[rows]) for rows in self._rows])

    def nearest(self, vector: Vectors, scene: int) -> str:
        """The scene's example that is nearest to a text."""
        rows = self._rows[scene]
        return self.texts[int(rows[np.argmax(self.vectors[rows] @ vector)])]


def _examples_for(pack: ScenePack, encoders: Encoders | None) -> tuple[list[str], NDArray[np.int64]]:
    """All examples, or with `encoders` those that it would read as English, unless a scene has none such."""
    texts: list[str] = []
    scenes: list[int] = []
    for number, scene in enumerate(pack.scenes):
        english = [text for text in scene.examples if encoders is None or encoders.pick(text) is encoders.english]
        chosen = english or list(scene.examples)
        texts += chosen
        scenes += [number] * len(chosen)
    return texts, np.array(scenes, dtype=np.int64)


def _pool(z: NDArray[np.float64]) -> float:
    weights = np.array(_NEIGHBOUR_WEIGHTS[: len(z)])
    return float(np.sort(z)[::-1][: len(weights)] @ weights / weights.sum())


def _softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    powers = np.exp(logits - logits.max())
    total: NDArray[np.float64] = powers / powers.sum()
    return total
