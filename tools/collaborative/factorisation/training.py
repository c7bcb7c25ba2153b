"""Learning one machine by Adam over shuffled batches, stopped by a held-back part."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from scipy.stats import rankdata
from torch import Tensor

from scenewise.tools.collaborative.factorisation.config import FactorisationConfig
from scenewise.tools.collaborative.factorisation.fields import Slots
from scenewise.tools.collaborative.factorisation.network import Network

_BATCHES, _SMALLEST, _LARGEST = 50, 32, 4096
_ROWS_AT_ONCE = 65_536


@dataclass(frozen=True, eq=False)
class Rows:
    """`place` int32 and `share` float32 (n, s) as in Slots, `target` float32 (n,)."""

    place: Tensor
    share: Tensor
    target: Tensor

    @classmethod
    def of(cls, slots: Slots, target: NDArray[np.float32], device: torch.device) -> Rows:
        """Bring them to the device."""
        return cls(*(torch.from_numpy(np.ascontiguousarray(part)).to(device) for part in (slots.place, slots.share, target)))


def train(network: Network, rows: Rows, held: Rows | None, config: FactorisationConfig, report: Callable[[], None]) -> None:
    """Fit the network in place, to its best epoch on `held` where there is one; call `report` after each epoch."""
    optimisers = network.optimisers(config.lr)
    size = config.batch or min(max(len(rows.target) // _BATCHES, _SMALLEST), _LARGEST)
    best, kept, waited = -np.inf, network.state_dict(), 0
    for _ in range(config.epochs):
        network.train()
        for batch in torch.split(torch.randperm(len(rows.target)).to(rows.target.device), size):
            if len(batch) > 1 or network.head is None:  # batch normalisation cannot take a single row
                _step(network, Rows(rows.place[batch], rows.share[batch], rows.target[batch]), config, optimisers)
        report()
        if held is None:
            continue
        quality = _quality(outputs(network, held.place, held.share), held.target, config)
        if quality > best + 1e-5:
            best, kept, waited = quality, {name: tensor.clone() for name, tensor in network.state_dict().items()}, 0
        elif (waited := waited + 1) >= config.patience:
            break
    if held is not None:
        network.load_state_dict(kept)
    network.eval()


def outputs(network: Network, place: Tensor, share: Tensor) -> Tensor:
    """Return log-odds or ratings, float32 (n,)."""
    network.eval()
    with torch.inference_mode():
        parts = zip(torch.split(place, _ROWS_AT_ONCE), torch.split(share, _ROWS_AT_ONCE), strict=True)
        return torch.cat([network(*part)[0] for part in parts])


def auc(scores: NDArray[np.floating], happened: NDArray[np.bool_]) -> float:
    """Return the chance that one that happened scores above one that did not, ties half; NaN where there are none of either.

    >>> auc(np.array([0.1, 0.4, 0.35, 0.8]), np.array([False, False, True, True]))
    0.75
    """
    n_true = int(happened.sum())
    n_false = len(happened) - n_true
    if not n_true or not n_false:
        return float("nan")
    return float((rankdata(scores)[happened].sum() - n_true * (n_true + 1) / 2) / (n_true * n_false))


def _step(network: Network, batch: Rows, config: FactorisationConfig, optimisers: list[torch.optim.Optimizer]) -> None:
    out, vectors, terms = network(batch.place, batch.share)
    loss = F.binary_cross_entropy_with_logits(out, batch.target) if config.target == "click" else F.mse_loss(out, batch.target)
    loss = loss + (config.l2 * vectors.square().sum() + config.l2_weights * terms.square().sum()) / len(out)
    for optimiser in optimisers:
        optimiser.zero_grad()
    loss.backward()
    for optimiser in optimisers:
        optimiser.step()


def _quality(out: Tensor, target: Tensor, config: FactorisationConfig) -> float:
    """AUC of clicks (where there are both kinds; what it says of their chance is mended afterwards), else the loss, negative."""
    if config.target == "rating":
        return -float(F.mse_loss(out, target))
    found = auc(out.cpu().numpy(), target.cpu().numpy() > 0)
    return -float(F.binary_cross_entropy_with_logits(out, target)) if np.isnan(found) else found
