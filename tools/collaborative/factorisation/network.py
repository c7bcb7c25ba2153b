"""The machine: weights of values, products of their factors, and the head of DeepFM."""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from scenewise.tools.collaborative.factorisation.config import FactorisationConfig

SPARSE_ROWS = 200_000  # above this many rows a step that touches all of them costs more than the rest of it


class Network(nn.Module):
    """Rendle 2010, "Factorization Machines", equation 1, over fields: a field's vector is the sum of its slots' factors times their
    share, and pairs are taken between fields (not between the values of one), by equation 5 in linear time.

    With `hidden` layers the fields' vectors, one after the other, are also read by a feed-forward head whose output is added
    (DeepFM, Guo et al. 2017); we add batch normalisation, without which it learned worse.
    """

    pool: Tensor

    def __init__(self, config: FactorisationConfig, *, n_rows: int, field_of_slot: list[int], start: float = 0.0) -> None:
        super().__init__()
        self.sparse = n_rows > SPARSE_ROWS
        self.dropout = config.dropout
        self.bias = nn.Parameter(torch.tensor(start))
        self.weights = nn.Parameter(torch.zeros(n_rows, 1))
        self.factors = nn.Parameter(torch.randn(n_rows, config.k) * config.spread)
        n_fields = field_of_slot[-1] + 1
        self.register_buffer("pool", F.one_hot(torch.tensor(field_of_slot), n_fields).float(), persistent=False)  # (s, f)
        sizes = [n_fields * config.k, *config.hidden]
        layers = [nn.Sequential(nn.Linear(a, b), nn.BatchNorm1d(b), nn.ReLU(), nn.Dropout(config.head_dropout)) for a, b in pairwise(sizes)]
        self.head = nn.Sequential(*layers, nn.Linear(sizes[-1], 1)) if layers else None

    def vectors(self, place: Tensor, share: Tensor) -> Tensor:
        """Return the fields' vectors: (b, f, k)."""
        slots = F.embedding(place, self.factors, sparse=self.sparse) * share[..., None]
        return slots if self.pool.shape[0] == self.pool.shape[1] else torch.einsum("bsk,sf->bfk", slots, self.pool)

    def terms(self, place: Tensor, share: Tensor) -> Tensor:
        """Return what each slot adds by itself: (b, s)."""
        return F.embedding(place, self.weights, sparse=self.sparse)[..., 0] * share

    def forward(self, place: Tensor, share: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the output (b,), and the penalised parts: vectors (b, f, k) and terms (b, s)."""
        terms, vectors = self.terms(place, share), self.vectors(place, share)
        dropped = F.dropout(vectors, self.dropout, self.training)
        out = self.bias + terms.sum(dim=1) + ((dropped.sum(dim=1).square() - dropped.square().sum(dim=1)).sum(dim=1)) / 2
        if self.head is not None:
            out = out + self.head(dropped.flatten(1))[:, 0]
        return out, vectors, terms

    def parts(self, place: Tensor, share: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return what each field adds by itself, (b, f); its half of the pairs it is in, (b, f); and what the head adds, (b,)."""
        vectors = self.vectors(place, share)
        pairs = (vectors * (vectors.sum(dim=1, keepdim=True) - vectors)).sum(dim=2) / 2
        head = torch.zeros(len(place)) if self.head is None else self.head(vectors.flatten(1))[:, 0]
        return self.terms(place, share) @ self.pool, pairs, head

    def optimisers(self, lr: float) -> list[torch.optim.Optimizer]:
        """Return Adam; for large tables the kind that steps only the rows of a batch."""
        if not self.sparse:
            return [torch.optim.Adam(self.parameters(), lr=lr)]
        tables = [self.weights, self.factors]
        rest = [one for one in self.parameters() if all(one is not table for table in tables)]
        return [torch.optim.SparseAdam(tables, lr=lr), torch.optim.Adam(rest, lr=lr)]
