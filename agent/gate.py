"""Whether a message asks for items, for nothing of ours, or for what cannot be known yet: a linear classifier over sentence vectors.

Rules read what a message names and cannot tell "turn off the lights" from a request; a model of 135M parameters takes it for one as well.
Sentence encoders have seen far more ways of saying things than either, and theirs are at hand in every turn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

import numpy as np

from scenewise.agent.plan_neighbours import KnownPlan
from scenewise.agent.plan_text import Ask
from scenewise.store.errors import InputError
from scenewise.tools.retrieval.encoders import Encoders
from scenewise.tools.scene.regression import Matrix, fit_softmax, log_softmax

FILE = Path(__file__).resolve().parent / "gate.safetensors"
SURE = 0.8
LISTED = 0.3  # how much the last list counts beside a vector of length 1
STRENGTH = 10.0


@dataclass(frozen=True, slots=True)
class Chances:
    """Probabilities that no tool is asked for, that a question back is due, and that tools are to be called; they sum to 1."""

    none: float
    ask: float
    call: float


@dataclass(frozen=True)
class Gate:
    """`weights`: encoder -> float32 (dim + 1, 3) over its vectors and whether there is a last list, and float32 (3,) of biases."""

    weights: Mapping[str, tuple[Matrix, Matrix]]

    def read(self, text: str, encoders: Encoders, *, has_list: bool) -> Chances | None:
        """The chances of a message; None for an empty one, and where the gate does not know the encoder of its script."""
        if not text.strip():
            return None
        encoder, vector = encoders.encode_one(text)
        if encoder not in self.weights:
            return None
        weights, bias = self.weights[encoder]
        features = np.append(vector, np.float32(LISTED * has_list)).astype(np.float32)
        none, ask, call = np.exp(log_softmax((features @ weights + bias)[None]))[0].tolist()
        return Chances(none, ask, call)

    @classmethod
    def train(cls, known: Sequence[KnownPlan], encoders: Encoders) -> Gate:
        """Fit on requests with their right plans, each script's with its own encoder. InputError where a script has not all three."""
        found: dict[str, tuple[Matrix, Matrix]] = {}
        for encoder in (encoders.english, encoders.multilingual):
            mine = [one for one in known if encoders.pick(one.message).name == encoder.name]
            labels = np.array([1 if isinstance(one.plan, Ask) else 2 if one.plan else 0 for one in mine], dtype=np.int64)
            if len({*labels.tolist()}) < 3:
                raise InputError(f"the requests for {encoder.name} need plans with calls, without, and questions back")
            listed = np.array([[LISTED * bool(one.request.last_items)] for one in mine], dtype=np.float32)
            features = np.hstack([encoder.encode([one.message for one in mine]), listed]).astype(np.float32)
            found[encoder.name] = fit_softmax(features, labels, 3, strength=STRENGTH)
        return cls(MappingProxyType(found))

    def save(self, path: Path) -> None:
        """Write the weights as safetensors."""
        from safetensors.numpy import save_file

        tensors = {f"{name}.weights": one for name, (one, _) in self.weights.items()}
        save_file({**tensors, **{f"{name}.bias": bias for name, (_, bias) in self.weights.items()}}, path)

    @classmethod
    def load(cls, path: Path = FILE) -> Gate:
        """Read the weights; a gate that knows no encoder where there are none."""
        from safetensors.numpy import load_file

        tensors = load_file(path) if path.is_file() else {}
        names = [name.removesuffix(".bias") for name in tensors if name.endswith(".bias")]
        return cls(MappingProxyType({name: (tensors[f"{name}.weights"], tensors[f"{name}.bias"]) for name in names}))


@lru_cache(maxsize=1)
def shipped_gate() -> Gate:
    """The gate that comes with the product, read once."""
    return Gate.load()
