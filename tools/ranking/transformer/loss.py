"""Cross-entropy over many items without ever holding all logits, and the estimate of it from a sample of items."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

_HELD = {"cpu": 1 << 20, "cuda": 1 << 26}  # logits held at a time: on a CPU what its cache holds


class _CrossEntropy(torch.autograd.Function):
    """Works out both gradients while a chunk of the logits is there, as in Wijmans et al. 2024, "Cut Your Losses in Large-Vocabulary
    Language Models", but by whole rows: the logits are written once and read three times, and never kept."""

    @staticmethod
    def forward(ctx: Any, users: Tensor, items: Tensor, told: Tensor, weights: Tensor, log_q: Tensor, smoothing: float) -> Tensor:
        highest = users.norm(dim=1).max() * items.norm(dim=1).max()  # no logit is higher
        targets, mean = items[told], items.mean(dim=0)
        own = (users * targets).sum(dim=1)
        # the item to be told is always in the sample, so its own q is 1 and not what it is for other users
        extra = (own - highest).exp() - (own - highest - log_q[told]).exp()
        by_users, by_items, totals = torch.empty_like(users), torch.zeros_like(items), torch.empty_like(own)
        chunk = max(16, _HELD[users.device.type] // len(items))
        for start in range(0, len(users), chunk):
            part = slice(start, start + chunk)
            exponentials = torch.addmm(-log_q - highest, users[part], items.T).exp_()  # (chunk, n)
            totals[part] = exponentials.sum(dim=1) + extra[part]
            share = (weights[part] / totals[part])[:, None]
            by_users[part] = (exponentials @ items) * share
            by_items.addmm_(exponentials.T, users[part] * share)
        pull = (weights * (extra / totals - 1 + smoothing))[:, None]
        by_users += pull * targets - smoothing * weights[:, None] * mean
        by_items.index_add_(0, told, pull * users)
        by_items -= smoothing / len(items) * (weights[:, None] * users).sum(dim=0)
        ctx.save_for_backward(by_users, by_items)
        total: Tensor = (weights * (totals.log() + highest - (1 - smoothing) * own - smoothing * (users @ mean))).sum()
        return total

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        by_users, by_items = ctx.saved_tensors
        return gradients[0] * by_users, gradients[0] * by_items, None, None, None, None


def cross_entropy(
    users: Tensor,
    items: Tensor,
    target: Tensor,
    weights: Tensor,
    *,
    log_q: Tensor | None = None,
    smoothing: float = 0.0,
) -> Tensor:
    """Return the weighted mean of -log softmax(users items')[target]: a scalar.

    `users` (m, dim), `items` (n, dim), `target` int64 (m,), `weights` (m,). Where the items are a sample, `log_q` (n,) is the log of
    each one's probability to be in it: the sum over the catalogue is then estimated without bias by weights 1/q (Horvitz &
    Thompson 1952), which is the logQ correction (Bengio & Senecal 2008) for a sample without repetition.
    """
    share = weights / weights.sum().clamp(min=1e-12)
    log_q = items.new_zeros(len(items)) if log_q is None else log_q
    loss: Tensor = _CrossEntropy.apply(users, items, target, share, log_q, smoothing)  # type: ignore[no-untyped-call]
    return loss


def sample_items(target: Tensor, popularity: Tensor, n: int) -> tuple[Tensor, Tensor]:
    """Draw the items of a batch: those to be told (so, popular ones) and n others, each as likely.

    `target` int64 (m,) places in `popularity` (n_items,), the share of all events of each. Returns places, int64 sorted (s,), and the
    log of the probability with which each gets into the sample, (s,): 1 - (1 - p)^m (1 - n / n_items).
    """
    n_items = len(popularity)
    others = torch.randperm(n_items, device=target.device)[: min(n, n_items)]
    places = torch.unique(torch.cat((target, others)))
    missed = (1 - popularity[places]) ** len(target) * (1 - len(others) / n_items)
    return places, torch.log1p(-missed)
