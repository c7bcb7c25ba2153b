"""A few-shot text classifier: two sentence encoders under a softmax, calibrated, that knows when a text is none of its labels."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenewise.store.errors import InputError
from scenewise.tools.retrieval.encoders import Encoders, MiniLmEncoder
from scenewise.tools.scene.regression import Matrix
from scenewise.tools.scene.rehearsal import Head, fit_head
from scenewise.tools.scene.tuning import TunedEncoder

_FORMAT = 3
_MOST_TUNED = 2_000


@dataclass(frozen=True)
class Examples:
    """What is learned from. labels: int64 (n,), the place of each text's label in `names`; -1 for a text that is none of them."""

    texts: tuple[str, ...]
    labels: NDArray[np.int64]
    names: tuple[str, ...]

    @classmethod
    def of(cls, texts: Sequence[str], labels: Sequence[str | None], *, names: Sequence[str] = ()) -> Examples:
        """Take texts with their labels, None for none; the labels are in the order of `names`, else of the alphabet. InputError where
        the two differ in number or no label has an example."""
        if len(texts) != len(labels):
            raise InputError("each text needs one label: there are more of the one than of the other")
        known = tuple(names) or tuple(sorted({label for label in labels if label is not None}))
        if not known or all(label is None for label in labels):
            raise InputError("there is no example of any label: give at least one text with a label")
        place = {name: number for number, name in enumerate(known)}
        if unknown := {label for label in labels if label is not None} - place.keys():
            raise InputError(f"{len(unknown)} labels of the examples are not among the names: name every label")
        return cls(tuple(texts), np.array([-1 if label is None else place[label] for label in labels], dtype=np.int64), known)

    def rows(self, keep: NDArray[np.bool_]) -> Examples:
        """Those examples alone; the names stay."""
        return Examples(tuple(text for text, kept in zip(self.texts, keep, strict=True) if kept), self.labels[keep], self.names)


class TextClassifier:
    """P(label | text, it is one) and the odds that it is none, for texts in any language the encoders read.

    Texts that the English encoder reads get its vector (of tuned upper layers, see `TunedEncoder`) beside the multilingual one; all others
    the multilingual one alone. Either way has a head of its own (`fit_head`).
    """

    def __init__(self, examples: Examples, encoders: Encoders, heads: Mapping[str, Head], tuned: TunedEncoder | None) -> None:
        """Use `train`, or `load` for what `save` wrote."""
        self.names = examples.names
        self.examples = examples
        self._encoders = encoders
        self._heads = dict(heads)
        self._tuned = tuned
        self._lock = Lock()
        self._latest: tuple[str, list[Matrix]] | None = None

    @classmethod
    def train(cls, examples: Examples, encoders: Encoders, *, tune: bool = False, seed: int = 0) -> TextClassifier:
        """Learn from examples. The same examples and seed give the same classifier on the same machine.

        With `tune` the English encoder's upper layers are tuned, with none as one more label, where `tunes` says so: about 0.06 CPU
        seconds an example, against 0.005.
        """
        english = encoders.english is not encoders.multilingual
        tuned = tune and tunes(examples, encoders)
        multilingual = encoders.multilingual.encode(examples.texts)
        heads = {"other": fit_head([multilingual], examples.labels, len(examples.names), seed=seed)}
        readable = np.array([encoders.pick(text) is encoders.english for text in examples.texts], dtype=np.bool_)
        read = examples.rows(readable)
        encoder: TunedEncoder | None = None
        if english and (read.labels >= 0).any():
            if tuned:
                encoder, heads["english"] = _fit_tuned(read, encoders, multilingual[readable], seed)
            else:
                blocks = [encoders.english.encode(read.texts), multilingual[readable]]
                heads["english"] = fit_head(blocks, read.labels, len(read.names), seed=seed)
        return cls(examples, encoders, heads, encoder)

    def read(self, texts: Sequence[str]) -> tuple[Matrix, Matrix]:
        """Return log P(label | text, one of them): float32 (n, n_labels), and log-odds of none against any at even odds: float32 (n,)."""
        log_p = np.empty((len(texts), len(self.names)), dtype=np.float32)
        outside = np.empty(len(texts), dtype=np.float32)
        ways = np.array([self._way(text) for text in texts])
        for way in set(ways.tolist()):
            rows = np.flatnonzero(ways == way)
            log_p[rows], outside[rows] = self._heads[way].read(self._blocks(way, [texts[row] for row in rows.tolist()]))
        return log_p, outside

    def nearest(self, text: str, label: int) -> str:
        """The example of a label that the text is nearest to, in the encoders' eyes."""
        way = self._way(text)
        row = self._heads[way].nearest(self._blocks(way, [text]), label)
        chosen = [example for example in self.examples.texts if way == "other" or self._way(example) == way]
        return chosen[row]

    def save(self, path: Path, *, version: str) -> None:
        """Write one safetensors file; `version` says what it was trained for."""
        from safetensors.numpy import save_file

        arrays = {f"{way}.{name}": rows for way, head in self._heads.items() for name, rows in head.arrays().items()}
        arrays["labels"] = self.examples.labels
        arrays |= {f"tuned.{name}": rows for name, rows in (self._tuned.state() if self._tuned else {}).items()}
        about = {"format": _FORMAT, "version": version, "names": self.names, "texts": self.examples.texts, "encoders": self._names()}
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(path.name + ".part")
        save_file({name: np.ascontiguousarray(rows) for name, rows in arrays.items()}, part, {"about": json.dumps(about)})
        part.replace(path)

    @classmethod
    def load(cls, path: Path, encoders: Encoders, *, version: str) -> TextClassifier | None:
        """Read what `save` wrote; None where there is nothing for this version and these encoders, or it cannot be read."""
        from safetensors import SafetensorError, safe_open

        if not path.is_file():
            return None
        try:
            with safe_open(path, framework="numpy") as file:
                about: dict[str, Any] = json.loads((file.metadata() or {}).get("about", "{}"))
                fits = (about.get("format"), about.get("version"), about.get("encoders")) == (_FORMAT, version, _encoder_names(encoders))
                arrays = {name: file.get_tensor(name) for name in file.keys()} if fits else {}  # noqa: SIM118
        except (SafetensorError, OSError, json.JSONDecodeError):
            return None
        if not arrays:
            return None
        heads = {way: Head.of(_below(arrays, way)) for way in ("english", "other") if f"{way}.weights" in arrays}
        layers = _below(arrays, "tuned")
        english = encoders.english
        tuned = TunedEncoder(english.bert, layers) if layers and isinstance(english, MiniLmEncoder) else None
        return cls(Examples(tuple(about["texts"]), arrays["labels"], tuple(about["names"])), encoders, heads, tuned)

    @property
    def is_tuned(self) -> bool:
        """Whether the English encoder's upper layers are its own."""
        return self._tuned is not None

    def _names(self) -> list[str]:
        return _encoder_names(self._encoders)

    def _way(self, text: str) -> str:
        return "english" if "english" in self._heads and self._encoders.pick(text) is self._encoders.english else "other"

    def _blocks(self, way: str, texts: Sequence[str]) -> list[Matrix]:
        """The features of texts; those of the latest single one are kept, as it is asked for its nearest example next."""
        if len(texts) > 1:
            return self._encode(way, texts)
        kept = self._latest
        if kept is None or kept[0] != texts[0]:
            self._latest = kept = (texts[0], self._encode(way, texts))
        return kept[1]

    def _encode(self, way: str, texts: Sequence[str]) -> list[Matrix]:
        single = len(texts) == 1
        if way == "other":
            picked = self._encoders.pick(texts[0]) is self._encoders.multilingual
            return [self._encoders.encode_one(texts[0])[1][None] if single and picked else self._encoders.multilingual.encode(texts)]
        if self._tuned is not None:
            with self._lock:
                english = self._tuned.encode(texts)
        else:
            english = self._encoders.encode_one(texts[0])[1][None] if single else self._encoders.english.encode(texts)
        return [english, self._encoders.multilingual.encode(texts)]


def tunes(examples: Examples, encoders: Encoders) -> bool:
    """Whether tuning the English encoder helps: it is MiniLM, and of more than 2,000 examples the head alone learns as much."""
    return isinstance(encoders.english, MiniLmEncoder) and len(examples.texts) <= _MOST_TUNED


def _fit_tuned(examples: Examples, encoders: Encoders, multilingual: Matrix, seed: int) -> tuple[TunedEncoder, Head]:
    """Tune on everything; what is calibrated is rehearsed with an encoder that has not seen the examples it is calibrated on."""
    plain = encoders.english
    assert isinstance(plain, MiniLmEncoder)

    def encode(keep: NDArray[np.bool_]) -> tuple[TunedEncoder, list[Matrix]]:
        encoder = TunedEncoder(plain.bert)
        taught = examples.rows(keep)  # those of none are pulled together like those of a label
        encoder.tune(taught.texts, np.unique(taught.labels, return_inverse=True)[1].astype(np.int64), seed=seed)
        return encoder, [encoder.encode(examples.texts), multilingual]

    encoder, blocks = encode(np.ones(len(examples.texts), dtype=np.bool_))
    return encoder, fit_head(blocks, examples.labels, len(examples.names), rehearse=lambda keep: encode(keep)[1], seed=seed)


def _below(arrays: Mapping[str, Any], head: str) -> dict[str, Any]:
    return {name.removeprefix(f"{head}."): rows for name, rows in arrays.items() if name.startswith(f"{head}.")}


def _encoder_names(encoders: Encoders) -> list[str]:
    return [encoders.english.name, encoders.multilingual.name]
