"""The settings of the Transformer."""

from __future__ import annotations

import math
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, model_validator

Count = Annotated[int, Field(ge=1)]
Share = Annotated[FiniteFloat, Field(ge=0, lt=1)]
Amount = Annotated[FiniteFloat, Field(gt=0)]
FULL_COST = 10_000_000_000  # events times items up to which the full softmax is worth its price: some 50 CPU s an epoch at 64 dimensions


class TransformerConfig(BaseModel):
    """All there is to choose. Two trainings with the same settings, data and number of threads end alike.

    `dim`: length of the vectors of items and users; `blocks`, `heads`: of attention; `max_length`: events of a history that are
    looked at; `scenes`, `ages`: whether the scene, and the time since each event, are looked at.
    `dropout`: in the network; None takes 0.5 where there are 16 events an item or fewer, and 0.07 less for each doubling, down to 0.2
    (what is published for Amazon's and MovieLens's sets lies on that line). `id_dropout`: share of items whose id is hidden in a step,
    so that features learn to stand alone (without features there is none). `moment_dropout`: share of scenes and ages that are hidden.
    `spectral`: start from the spectral embedding of the transitions rather than from noise.
    `loss`: cross-entropy over the `full` catalogue, or `sampled`: over the batch's own items and `n_negatives` others; `auto`: full
    where events times items stay under 10^10. `smoothing`: of the labels. `temperature`: the inverse of the scale that logits start at.
    `epochs` at most; the learning rate `lr` rises over the first `warm_up` of the steps and falls as a cosine to a twentieth;
    `patience`: epochs without a better NDCG@10 on the held-back events of `n_held_back` users after which training ends.
    `minutes` of wall time at most (the rate falls by then). `tokens`: events a step. `clip`: longest gradient. `device`: "auto" takes a
    GPU where there is one.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    dim: Annotated[int, Field(ge=2, multiple_of=2)] = 64
    blocks: Count = 2
    heads: Count = 2
    max_length: Count = 100
    dropout: Share | None = None
    id_dropout: Share = 0.1
    moment_dropout: Share = 0.3
    scenes: bool = True
    ages: bool = False
    spectral: bool = True
    loss: Literal["auto", "full", "sampled"] = "auto"
    n_negatives: Count = 2048
    smoothing: Share = 0.0
    temperature: Amount = 0.07
    epochs: Count = 25
    patience: Count = 5
    n_held_back: Annotated[int, Field(ge=0)] = 2000
    minutes: Amount | None = None
    tokens: Count = 2048
    lr: Amount = 3e-3
    warm_up: Share = 0.1
    weight_decay: Share = 0.0
    clip: Amount = 1.0
    seed: Annotated[int, Field(ge=0)] = 0
    device: Annotated[str, Field(pattern=r"^(auto|cpu|cuda(:\d+)?)$")] = "auto"

    @model_validator(mode="after")
    def _heads_divide(self) -> Self:
        if self.dim % self.heads:
            raise ValueError("dim must be a multiple of heads")
        return self

    def settled(self, n_events: int, n_items: int) -> TransformerConfig:
        """Return the settings with the dropout for so many events of so many items."""
        if self.dropout is not None:
            return self
        density = max(n_events / max(n_items, 1) / 16, 1.0)
        return self.model_copy(update={"dropout": max(0.2, 0.5 - 0.07 * math.log2(density))})

    def full_softmax(self, n_events: int, n_items: int) -> bool:
        """Say whether the loss goes over all items."""
        return self.loss == "full" or (self.loss == "auto" and n_events * n_items <= FULL_COST)
