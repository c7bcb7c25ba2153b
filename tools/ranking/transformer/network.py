"""The network: items, events, attention, and the moment's say in the user's state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from torch import Tensor, nn

from scenewise.tools.collaborative.model import Rows
from scenewise.tools.features import ItemFeatures
from scenewise.tools.ranking.transformer.config import TransformerConfig
from scenewise.tools.ranking.transformer.samples import N_AGES, START
from scenewise.tools.tfidf import tfidf

_STEEPEST = 40.0  # logits lie between -40 and 40, so that float32 holds their exponentials


@dataclass(frozen=True, eq=False)
class Inputs:
    """What the network reads of items: `dense` float32 (n_items, p), text and graph beside each other; `attributes` csr (n_items, q)."""

    dense: NDArray[np.float32]
    attributes: csr_matrix

    @classmethod
    def of(cls, features: ItemFeatures | None, n_items: int) -> Self:
        """Take features apart; widths of 0 where there are none."""
        if features is None:
            nothing = np.zeros((n_items, 0), dtype=np.float32)
            return cls(nothing, csr_matrix(nothing))
        parts = [np.zeros((n_items, 0), dtype=np.float32), *(part for part in (features.text, features.graph) if part is not None)]
        return cls(np.concatenate(parts, axis=1), tfidf(features.attributes))

    @property
    def widths(self) -> tuple[int, int]:
        """How many columns there are: dense, attributes."""
        return int(self.dense.shape[1]), int(self.attributes.shape[1])


class Block(nn.Module):
    """Attention to what came before, then a feed-forward layer; both normalise what they read and add to it."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.heads, dim = config.heads, config.dim
        self.before_attention, self.before_feed = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.attend, self.mix = nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)
        self.feed = nn.Sequential(nn.Linear(dim, 2 * dim), nn.GELU(), nn.Dropout(config.dropout or 0.0), nn.Linear(2 * dim, dim))
        self.dropout = nn.Dropout(config.dropout or 0.0)

    def forward(self, states: Tensor) -> Tensor:
        b, t, dim = states.shape
        parts = self.attend(self.before_attention(states)).view(b, t, 3, self.heads, dim // self.heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4)  # (b, heads, t, dim / heads) each
        seen = F.scaled_dot_product_attention(query, key, value, is_causal=True)
        states = states + self.dropout(self.mix(seen.transpose(1, 2).reshape(b, t, dim)))
        fed: Tensor = self.dropout(self.feed(self.before_feed(states)))
        return states + fed


class Network(nn.Module):
    """From histories to users' states, which are compared with items by their cosine.

    An item is the sum of its id's vector (none where no event was learned from), a projection of its text and graph vectors, and the
    vectors of its attributes; the same vectors are read as events and compared with states (tied). A state is moved by the moment it
    is for: state * (1 + scale) + shift (FiLM, Perez et al. 2018), of the scene and of the time since the last event.
    """

    ids: Tensor
    known: Tensor

    def __init__(self, config: TransformerConfig, *, n_items: int, n_scenes: int, widths: tuple[int, int]) -> None:
        super().__init__()
        self.config, self.n_scenes, self.widths, dim = config, n_scenes, widths, config.dim
        self.ids = nn.Parameter(torch.zeros(n_items, dim))
        self.register_buffer("known", torch.zeros(n_items, 1))
        self.project = nn.Linear(widths[0], dim, bias=False) if widths[0] else None
        self.values = nn.Parameter(torch.randn(widths[1], dim) * 0.02) if widths[1] else None
        self.start, self.lukewarm = nn.Parameter(torch.randn(dim) * 0.02), nn.Parameter(torch.zeros(dim))
        self.places = nn.Parameter(torch.randn(config.max_length, dim) * 0.02)
        self.scene_read, self.age_read = nn.Embedding(n_scenes + 1, dim), nn.Embedding(N_AGES, dim)
        self.scene_now, self.age_now = nn.Embedding(n_scenes + 1, dim), nn.Embedding(N_AGES, dim)
        self.film = nn.Linear(dim, 2 * dim)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.blocks))
        self.last, self.dropout = nn.LayerNorm(dim), nn.Dropout(config.dropout or 0.0)
        self.log_scale = nn.Parameter(torch.tensor(-float(np.log(config.temperature))))
        for module in self.modules():
            if isinstance(module, nn.Linear | nn.Embedding):
                nn.init.normal_(module.weight, std=0.05)
            if isinstance(module, nn.Linear) and module.bias is not None:
                nn.init.zeros_(module.bias)
        nn.init.zeros_(self.film.weight)

    def items(self, rows: Tensor, dense: Tensor, attributes: Tensor) -> Tensor:
        """Return the vectors of `rows` int64 (m,), given their features (m, p) and, sparse, (m, q): (m, dim)."""
        vectors = self.ids[rows] * self.known[rows]
        if self.project is None and self.values is None:
            return vectors
        if self.training:
            vectors = vectors * (torch.rand_like(vectors[:, :1]) >= self.config.id_dropout)
        if self.project is not None:
            vectors = vectors + self.project(dense)
        if self.values is not None:
            vectors = vectors + torch.sparse.mm(attributes, self.values)
        return vectors

    def forward(self, vectors: Tensor, batch: dict[str, Tensor]) -> Tensor:
        """Return the states after each event, (b, t, dim). `vectors` (m, dim) are items; the batch's rows are places among them."""
        rows = batch["rows"]
        states = torch.where((rows == START)[..., None], self.start, F.embedding(rows.clamp(min=0), vectors))
        states = states + self.places[: rows.shape[1]] + (1 - batch["weights"])[..., None] * self.lukewarm
        if self.n_scenes:
            states = states + self.scene_read(self._hide(batch["scenes"]))
        if self.config.ages:
            states = states + self.age_read(self._hide(batch["ages"]))
        states = self.dropout(states)
        for block in self.blocks:
            states = block(states)
        states = torch.as_tensor(self.last(states))
        if not (self.n_scenes or self.config.ages):
            return states
        moment = torch.zeros_like(states)
        if self.n_scenes:
            moment = moment + self.scene_now(self._hide(batch["next_scenes"]))
        if self.config.ages:
            moment = moment + self.age_now(self._hide(batch["next_ages"]))
        scale, shift = self.film(moment).chunk(2, dim=-1)
        moved: Tensor = states * (1 + scale) + shift
        return moved

    def users(self, states: Tensor) -> Tensor:
        """Bring states to the length at which their products with items of length 1 are the logits."""
        scaled: Tensor = F.normalize(states, dim=-1) * self.log_scale.exp().clamp(max=_STEEPEST)
        return scaled

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """What must be alike for one network to go on from another: all shapes but the numbers of items and scenes."""
        grows = ("ids", "known", "scene_read.weight", "scene_now.weight")
        return {name: tuple(one.shape[name in grows :]) for name, one in self.state_dict().items()}

    @torch.no_grad()
    def take(self, other: Network, rows: Rows) -> None:
        """Copy another network of the same shapes. `rows` int32 (n_items,): its row of each item here, -1 for a new one."""
        own = self.state_dict()
        for name, tensor in other.state_dict().items():
            if name in ("ids", "known"):
                own[name].copy_(tensor[rows] * torch.from_numpy(rows[:, None] >= 0))
            else:
                own[name][: len(tensor)].copy_(tensor) if tensor.ndim else own[name].copy_(tensor)

    def _hide(self, codes: Tensor) -> Tensor:
        """Let each moment be unknown (0) now and then while training."""
        return codes * (torch.rand(codes.shape, device=codes.device) >= self.config.moment_dropout) if self.training else codes
