"""Cross-entropy over a large vocabulary without keeping the logits: a part of the rows at a time, their gradient made at once."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

_AT_ONCE = 64  # rows: 13 MB of logits with 49,152 words, which memory that was used before can hold


def cross_entropy(states: Tensor, words: Tensor, target: Tensor) -> Tensor:
    """Return the mean of -log softmax(states words')[target]: states (n, d), words (vocabulary, d), target int64 (n,).

    The same as F.cross_entropy of the logits, with a gradient for `states` only.
    """
    loss: Tensor = _CrossEntropy.apply(states, words, target)  # type: ignore[no-untyped-call]
    return loss


class _CrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, states: Tensor, words: Tensor, target: Tensor) -> Tensor:
        total, grads = torch.zeros((), device=states.device), []
        for some, right in zip(torch.split(states, _AT_ONCE), torch.split(target, _AT_ONCE), strict=True):
            chances = F.linear(some, words).float().log_softmax(dim=1)
            total -= chances.gather(1, right[:, None]).sum()
            chances.exp_()
            chances.scatter_add_(1, right[:, None], torch.full_like(right, -1, dtype=chances.dtype)[:, None])
            grads.append(chances.to(words.dtype) @ words)
        ctx.save_for_backward(torch.cat(grads))
        ctx.n = len(target)
        return total / len(target)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        (kept,) = ctx.saved_tensors
        return kept * (grads[0] / ctx.n), None, None
