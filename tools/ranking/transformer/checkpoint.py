"""A training's checkpoint: what the network has learned now and at its best, the optimiser's state, and words on how far it has come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor
from torch.optim import Optimizer

from scenewise.store.errors import NotFound, StoreError
from scenewise.tools.ranking.transformer.files import read_tensors, write_tensors


@dataclass(frozen=True)
class Checkpoint:
    """What a training goes on from."""

    now: dict[str, Tensor]
    best: dict[str, Tensor]
    words: dict[str, str]


def write_checkpoint(
    path: Path, mark: str, now: Mapping[str, Tensor], best: Mapping[str, Tensor], optimiser: Optimizer, words: Mapping[str, str]
) -> None:
    """Write a checkpoint so that a crash leaves the old one or the new one; `mark` says of which training it is."""
    tensors = {f"now.{name}": tensor for name, tensor in now.items()} | {f"best.{name}": tensor for name, tensor in best.items()}
    for number, values in optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{number}.{name}": tensor for name, tensor in values.items()}
    write_tensors(path, tensors, {**words, "mark": mark})


def read_checkpoint(path: Path, mark: str, optimiser: Optimizer) -> Checkpoint | None:
    """Read a checkpoint and give the optimiser its state; None where it is missing, damaged, or of another training."""
    try:
        tensors, words = read_tensors(path)
    except (NotFound, StoreError):
        return None
    if words.get("mark") != mark:
        return None
    now: dict[str, Tensor] = {}
    best: dict[str, Tensor] = {}
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        part, _, rest = name.partition(".")
        if part == "optimiser":
            number, _, rest = rest.partition(".")
            state.setdefault(int(number), {})[rest] = tensor
        else:
            {"now": now, "best": best}[part][rest] = tensor
    optimiser.load_state_dict({**optimiser.state_dict(), "state": state})
    return Checkpoint(now, best, words)
