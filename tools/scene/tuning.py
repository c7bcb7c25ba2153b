"""Contrastive tuning of an encoder's upper layers on a few labelled texts.

As in SetFit (Tunstall et al. 2022, arXiv:2209.11055), texts of one label are pulled together and apart from the rest. We differ: instead of
pairs, all texts of a batch are compared at once (supervised contrastive loss, Khosla et al. 2020, arXiv:2004.11362) beside a cosine
softmax over label centres; and only the upper layers move, so that the lower ones run once a text and stay shared with the plain encoder.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from scenewise.store.errors import InputError
from scenewise.tools.retrieval.bert import Bert, Layer, pool

if TYPE_CHECKING:
    import torch

    from scenewise.tools.retrieval.encoders import Vectors

_MAX_TOKENS = 64
_MAX_CHARS = 1024
_BATCH = 64
_DROPOUT = 0.1
_GROUP = 4
_EPOCHS = 8
_MAX_SEEN = 16_000  # texts shown in all: a large set is seen less often
_LEARNING_RATE = 2e-4
_CENTRE_RATE = 20.0
_SHARPNESS = 15.0
_TEMPERATURE = 0.1


class TunedEncoder:
    """An encoder's lower layers, shared with it, under upper layers of its own. Not safe for several threads at once."""

    def __init__(self, plain: Bert, state: dict[str, NDArray[np.float32]] | None = None) -> None:
        """Copy the upper layers, or take them from `state()`; InputError where those are of another encoder."""
        import torch

        self._plain = plain
        self._upper: list[Layer] = [{name: rows.clone() for name, rows in layer.items()} for layer in plain.upper]
        if state is not None:
            if {name: rows.shape for name, rows in self.state().items()} != {name: rows.shape for name, rows in state.items()}:
                raise InputError("The kept scene model belongs to another encoder: run `scenewise scenes train`")
            for place, layer in enumerate(self._upper):
                layer.update({name: torch.from_numpy(state[f"{place}.{name}"]) for name in layer})

    def state(self) -> dict[str, NDArray[np.float32]]:
        """The upper layers' weights by name, to be kept."""
        return {f"{place}.{name}": rows.detach().numpy().copy() for place, layer in enumerate(self._upper) for name, rows in layer.items()}

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Encode texts: float32 (n, dim), rows of length 1."""
        return self._plain.encode(_cut(texts), most=_MAX_TOKENS, upper=self._upper)

    def tune(self, texts: Sequence[str], labels: NDArray[np.int64], *, seed: int = 0) -> None:
        """Move the upper layers so that texts of one label lie close together; labels: int64 (n,), from 0 without gaps."""
        import torch

        with torch.random.fork_rng(devices=[]), torch.no_grad():
            torch.manual_seed(seed)
            rows = self._plain.tokenise(_cut(texts), most=_MAX_TOKENS)
            lifted = [row for at in range(0, len(rows), _BATCH) for row in self._plain.lift(rows[at : at + _BATCH])]
            plain = torch.cat([pool(lifted[at : at + _BATCH], self._upper) for at in range(0, len(lifted), _BATCH)])
            targets = torch.from_numpy(labels)
            centres = torch.zeros(int(labels.max()) + 1, plain.shape[1]).index_add_(0, targets, plain)
            with torch.enable_grad():
                self._descend(lifted, targets, torch.nn.functional.normalize(centres, dim=1), np.random.default_rng(seed))

    def _descend(self, lifted: list[torch.Tensor], targets: torch.Tensor, centres: torch.Tensor, random: np.random.Generator) -> None:
        import torch

        centres.requires_grad_()
        rates = (_LEARNING_RATE, _LEARNING_RATE * _CENTRE_RATE)
        upper = [rows.requires_grad_() for layer in self._upper for rows in layer.values()]
        parts = (upper, [centres])
        optimiser = torch.optim.AdamW([{"params": part, "lr": rate} for part, rate in zip(parts, rates, strict=True)], weight_decay=0.01)
        epochs = min(_EPOCHS, max(1, _MAX_SEEN // len(lifted)))
        batches = [batch for _ in range(epochs) for batch in _batches(targets.numpy(), random)]
        warm_up = max(1, len(batches) // 10)
        for step, batch in enumerate(batches):
            for group, rate in zip(optimiser.param_groups, rates, strict=True):
                group["lr"] = rate * min(1.0, (step + 1) / warm_up) * (1 - step / len(batches))
            loss = _loss(pool([lifted[row] for row in batch], self._upper, dropout=_DROPOUT), targets[batch], centres)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
        for rows in upper:
            rows.requires_grad_(False)


def _cut(texts: Sequence[str]) -> list[str]:
    return [text[:_MAX_CHARS].encode("utf-8", "replace").decode() for text in texts]


def _batches(labels: NDArray[np.int64], random: np.random.Generator) -> list[NDArray[np.int64]]:
    """All rows once in random batches, rows of one label in groups of four, so that each has partners in its batch."""
    groups: list[NDArray[np.int64]] = []
    for label in range(int(labels.max()) + 1):
        rows = random.permutation(np.flatnonzero(labels == label))
        groups += [rows[at : at + _GROUP] for at in range(0, len(rows), _GROUP)]
    order = np.concatenate([groups[number] for number in random.permutation(len(groups))])
    return [order[at : at + _BATCH] for at in range(0, len(order), _BATCH)]


def _loss(vectors: torch.Tensor, targets: torch.Tensor, centres: torch.Tensor) -> torch.Tensor:
    import torch

    to_centres = torch.nn.functional.cross_entropy(_SHARPNESS * vectors @ torch.nn.functional.normalize(centres, dim=1).T, targets)
    alike = (vectors @ vectors.T / _TEMPERATURE).fill_diagonal_(-1e9)
    partners = (targets[:, None] == targets[None, :]).fill_diagonal_(False)
    log_p = alike - alike.logsumexp(1, keepdim=True)
    n_partners = partners.sum(1)
    together = (log_p * partners).sum(1)[n_partners > 0] / n_partners[n_partners > 0]
    return to_centres - together.mean() if len(together) else to_centres
