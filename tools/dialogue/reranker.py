"""The fusion of signals: a linear model and a small network beside it, learned list by list.

Source: ListNet's top-one loss (Cao et al. 2007), the cross entropy of a softmax over the candidates of a context. The network's last layer
starts at zero, so training starts from the linear model.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from scenewise.tools.dialogue.domain import Float

_CLIP = 8.0  # standard deviations
_BATCH = 64


@dataclass(frozen=True, slots=True)
class RerankerConfig:
    """Settings of the training. `n_networks` networks with different beginnings are averaged."""

    hidden: int = 32
    dropout: float = 0.3
    epochs: int = 8
    learning_rate: float = 3e-3
    weight_decay: float = 1e-2
    n_networks: int = 2
    seed: int = 0


class Network(nn.Module):
    """Scores candidates by their signals: (..., n_signals) -> (...,)."""

    def __init__(self, n_signals: int, config: RerankerConfig) -> None:
        super().__init__()
        hidden, last = config.hidden, nn.Linear(config.hidden, 1)
        nn.init.zeros_(last.weight)
        self.linear = nn.Linear(n_signals, 1)
        self.rest = nn.Sequential(
            *(nn.Linear(n_signals, hidden), nn.GELU(), nn.Dropout(config.dropout)),
            *(nn.Linear(hidden, hidden), nn.GELU(), nn.Dropout(config.dropout), last),
        )

    def forward(self, signals: Tensor) -> Tensor:
        """Score."""
        scored: Tensor = (self.linear(signals) + self.rest(signals)).squeeze(-1)
        return scored


class Reranker:
    """Learns from `signals` float32 (n, n_candidates, n_signals) and `relevant` bool (n, n_candidates)."""

    networks: list[Network]
    mean: Float
    scale: Float

    def __init__(self, config: RerankerConfig | None = None) -> None:
        self.config = config or RerankerConfig()

    def fit(self, signals: Float, relevant: NDArray[np.bool_]) -> Reranker:
        """Train; contexts without a relevant candidate teach nothing. `signals` is standardised in place."""
        self.mean, self.scale = signals.mean(axis=(0, 1)), signals.std(axis=(0, 1)) + 1e-6
        given = torch.from_numpy(self._standard(signals))
        labels = torch.from_numpy(relevant.astype(np.float32))
        useful = torch.from_numpy(np.flatnonzero(relevant.any(axis=1)))
        self.networks = []
        for number in range(self.config.n_networks):
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(self.config.seed + number)
                self.networks.append(self._train(given, labels, useful))
        return self

    def scores(self, signals: Float) -> Float:
        """Score candidates: float32 (n, n_candidates), the mean log probability over the networks. `signals` is standardised in place."""
        given = torch.from_numpy(self._standard(signals))
        with torch.inference_mode():
            told = [torch.log_softmax(network(given), dim=-1) for network in self.networks]
            return np.asarray(torch.stack(told).mean(dim=0).numpy())

    def _standard(self, signals: Float) -> Float:
        signals -= self.mean
        signals /= self.scale
        return np.clip(signals, -_CLIP, _CLIP, out=signals)

    def _train(self, given: Tensor, labels: Tensor, useful: Tensor) -> Network:
        network, config = Network(given.shape[-1], self.config), self.config
        optimiser = torch.optim.AdamW(network.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay)
        steps = max(config.epochs * -(-len(useful) // _BATCH), 1)
        pace = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: min(1.0, 4 * step / steps, 1.3 * (1 - step / steps)) + 1e-4)
        for _ in range(config.epochs if len(useful) else 0):
            for rows in torch.split(useful[torch.randperm(len(useful))], _BATCH):
                wanted = labels[rows]
                loss = -(torch.log_softmax(network(given[rows]), dim=-1) * wanted).sum() / wanted.sum()
                optimiser.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]  # torch does not type it
                optimiser.step()
                pace.step()
        return network.eval()
