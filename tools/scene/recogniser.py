"""Which scene a moment is, with an exact account of what spoke for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from scenewise.store.errors import InputError
from scenewise.store.types import Moment
from scenewise.tools.retrieval.encoders import Encoders
from scenewise.tools.scene.few_shot import Examples, TextClassifier, tunes
from scenewise.tools.scene.hints import names_a_time
from scenewise.tools.scene.pack import NO_SCENE, ScenePack
from scenewise.tools.scene.reading import SceneReading, Signal
from scenewise.tools.scene.signals import Term, read_habits, read_signals

# Fixed by the likelihood of the scenes of the gold set's development half and of the odd moments in tests/tools/scene (each of them twice).
_PRIOR = -3.7
_LABEL, _SCOPE, _DOUBT = 0.7, 0.88, 2.0
_WEIGHTS = MappingProxyType({"device": 1.39, "time": 1.64, "weekday": 1.84, "place": 2.15, "speed": 1.84})
# How often the words are of another moment than the signals, as log-odds: more often where they name a time, and the more plainly they
# name a scene, within bounds.
_ELSEWHERE, _TIMED = -1.2, 3.9
_VAGUE, _CLEAR = -6.0, 8.0
_MIN_PROBABILITY = 0.3
_DISTINCT = 0.5
_SMALL = 1e-6
_TAUGHT = 16.0
_ALIKE = 0.6
_FILE = "scenes.safetensors"


class SceneRecogniser:
    """A log-linear model of the scene given words and circumstances (naive Bayes over the signals, Hand and Yu 2001).

    For scene s, with none as the reference whose log-odds are 0:

        log-odds(s) = words(s) + device(s) + time(s) + weekday(s) + place(s) + speed(s) + history(s)
        P(s) = exp(log-odds(s)) / (1 + sum over scenes)         P(none) = 1 / (1 + sum over scenes)

    The signals are log-likelihood ratios (see `read_signals`), weighed by how much each proved to say. People also plan: with a chance
    d what is said is of another moment, and the signals say nothing. So of signals whose sum is S only log((1 - d) exp(S) + d) is left,
    which each bears in proportion. The words' part is a mixture: they say the scene, or they say nothing and leave it at the prior, which
    is the less to be believed the more they are of some scene. With the calibrated P(s | text, some scene) of a few-shot classifier of
    the scenes' examples, and its log-odds o of no scene,

        words(s) = log(exp(label log P(s | text, some scene) - scope o) + exp(prior - doubt log(1 + exp(-o))))
        d        = 1 / (1 + exp(-elsewhere - min(max(-o, -6), 8) - timed)), the last where the words name a time

    so a text that is no scene's, or empty, leaves every scene at the prior, none wins unless signals speak, and nothing is of another
    moment; plain words are believed wherever they are said.
    """

    def __init__(self, pack: ScenePack, encoders: Encoders, *, folder: Path | None = None) -> None:
        """Prepare for a pack. At the first words the classifier kept in `folder` is taken; where there is none of this pack and these
        encoders, as after a change of scenes.toml, one is trained without tuning (two or three seconds) and kept there."""
        self.pack = pack
        self._encoders = encoders
        self._folder = folder
        self._classifier: TextClassifier | None = None
        self._lock = Lock()

    @staticmethod
    def folder_of(store: Path) -> Path:
        """Where a store keeps its trained classifier. It is a cache: what is not of the present scenes.toml is not used."""
        return store / "cache" / "scenes"

    def is_learned(self) -> bool:
        """Whether a classifier is kept for this pack than which training makes none better."""
        if self._folder is None:
            return False
        kept = TextClassifier.load(self._folder / _FILE, self._encoders, version=self.pack.version)
        return kept is not None and kept.is_tuned == tunes(kept.examples, self._encoders)

    def train(self, *, tune: bool = True, seed: int = 0) -> TextClassifier:
        """Train the classifier of words on the pack, use it from now on, and keep it in the folder. InputError where it cannot be kept."""
        classifier = TextClassifier.train(examples_of(self.pack), self._encoders, tune=tune, seed=seed)
        self._keep(classifier)
        self._classifier = classifier
        return classifier

    def _keep(self, classifier: TextClassifier) -> None:
        if self._folder is not None:
            try:
                classifier.save(self._folder / _FILE, version=self.pack.version)
            except OSError as error:
                raise InputError("The scene model cannot be kept beside the store: make its folder writeable") from error

    def recognise(
        self, text: str, moment: Moment, *, past: Mapping[str, int] | None = None, taught: Sequence[tuple[str, str]] = ()
    ) -> SceneReading:
        """Read the scene. `scene` is None when none is likeliest or the likeliest stays under 0.3.

        `past` counts this user's earlier scenes by name, `taught` are texts that this user corrected with the scene they meant. The
        signals' shares are those of the scene (of none, where `scene` is None) against the average scene; they are in the order of their
        size, and empty where nothing spoke.
        """
        words, odds = self._read_words(text)
        terms = [*([words] if words else []), *self._read_signals(moment, elsewhere(text, odds)), *read_habits(self.pack, past or {})]
        terms += self._read_taught(text, taught)
        prior = 0.0 if words else _PRIOR
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

    def _words(self) -> TextClassifier:
        with self._lock:
            if self._classifier is None:
                kept = self._folder and TextClassifier.load(self._folder / _FILE, self._encoders, version=self.pack.version)
                self._classifier = kept or TextClassifier.train(examples_of(self.pack), self._encoders)
                if not kept:
                    with suppress(InputError):  # a store that is only read: trained again the next time
                        self._keep(self._classifier)
            return self._classifier

    def _read_words(self, text: str) -> tuple[Term | None, float]:
        """The words' term, None where there are none, and their log-odds of no scene."""
        if not text.strip():
            return None, -_VAGUE
        log_p, none = self._words().read([text])
        odds = float(none[0])
        says_it = _LABEL * log_p[0].astype(np.float64) - _SCOPE * odds
        return Term("words", "", np.logaddexp(says_it, _PRIOR - _DOUBT * np.logaddexp(0.0, -odds))), odds

    def _read_signals(self, moment: Moment, elsewhere: float) -> list[Term]:
        terms = [Term(t.name, t.value, _WEIGHTS.get(t.name, 1.0) * t.log_ratio) for t in read_signals(self.pack, moment)]
        total = np.sum([term.log_ratio for term in terms], axis=0) if terms else np.zeros(len(self.pack.scenes))
        left = np.logaddexp(np.log1p(-elsewhere) + total, np.log(elsewhere))
        small = np.abs(total) < _SMALL
        part = np.where(small, 1 - elsewhere, left / np.where(small, 1.0, total))  # left is 0 where the total is, with a slope of 1 - d
        return [Term(term.name, term.value, part * term.log_ratio) for term in terms]

    def _read_taught(self, text: str, taught: Sequence[tuple[str, str]]) -> list[Term]:
        """A text like one that the user corrected speaks for the scene they meant, the more the more alike; a word for word one decides."""
        if not taught or not text.strip():
            return []
        encoder, vector = self._encoders.encode_one(text)
        ratios = np.zeros(len(self.pack.scenes))
        for earlier, scene in taught:
            other, its_vector = self._encoders.encode_one(earlier)
            if scene in self.pack.names and other == encoder:
                place = self.pack.names.index(scene)
                ratios[place] = max(ratios[place], _TAUGHT * (float(vector @ its_vector) - _ALIKE) / (1 - _ALIKE))
        return [Term("taught", "as you said before", ratios)] if ratios.any() else []

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
        if winner is None or words.log_ratio[winner] <= words.log_ratio.mean() + _DISTINCT:
            return "no one scene"
        return f"like {self._words().nearest(text, winner)!r}"


def elsewhere(text: str, odds: float) -> float:
    """The chance that a text is of another moment than that in which it is said; `odds` are its log-odds of no scene."""
    log_odds = _ELSEWHERE + min(max(-odds, _VAGUE), _CLEAR) + (_TIMED if names_a_time(text) else 0.0)
    return float(1 / (1 + np.exp(-log_odds)))


def examples_of(pack: ScenePack) -> Examples:
    """A pack's examples, each scene's description as one more, and the requests that are of none."""
    texts = [(text, scene.name) for scene in pack.scenes for text in (*scene.examples, scene.description, *scene.also_said)]
    rows: list[tuple[str, str | None]] = [*texts, *((text, None) for text in pack.no_scene)]
    return Examples.of([text for text, _ in rows], [label for _, label in rows], names=pack.names)


def _softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    powers = np.exp(logits - logits.max())
    total: NDArray[np.float64] = powers / powers.sum()
    return total
