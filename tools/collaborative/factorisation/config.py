"""The settings of the factorisation machine."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, model_validator

Count = Annotated[int, Field(ge=1)]
Share = Annotated[FiniteFloat, Field(ge=0, lt=1)]
Amount = Annotated[FiniteFloat, Field(gt=0)]
Penalty = Annotated[FiniteFloat, Field(ge=0)]


class FactorisationConfig(BaseModel):
    """All there is to choose. Two trainings with the same settings, data and number of threads end alike.

    `target`: "click" (log loss, targets 0 and 1) or "rating" (squared loss). `k`: length of the factors, 0 for a linear model.
    `hidden`: widths of the DeepFM head's layers, none for a plain machine. `min_count`: words seen less often share the row of the
    unknown ones. `l2`: on the factors, `l2_weights`: on the weights of single values, each time that they are used, so that a
    frequent value is pulled as often as it learns. `dropout`: of factors, `head_dropout`: in the head. `spread`: standard deviation
    of the factors at the start. `batch`: rows a step, where None a fiftieth of all, from 32 to 4096. `epochs` at most; `patience`:
    epochs without a better validation after which training ends. `members`: how many machines, differing by their seed, are averaged.
    `device`: "auto" takes a GPU where there is one.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    target: Literal["click", "rating"] = "click"
    k: Annotated[int, Field(ge=0)] = 32
    hidden: tuple[Count, ...] = ()
    min_count: Count = 1
    l2: Penalty = 3e-3
    l2_weights: Penalty = 0.0
    dropout: Share = 0.2
    head_dropout: Share = 0.3
    spread: Amount = 0.01
    lr: Amount = 1e-2
    batch: Count | None = None
    epochs: Count = 60
    patience: Count = 3
    members: Count = 1
    seed: Annotated[int, Field(ge=0)] = 0
    device: Annotated[str, Field(pattern=r"^(auto|cpu|cuda(:\d+)?)$")] = "auto"

    @model_validator(mode="after")
    def _the_head_reads_factors(self) -> Self:
        if self.hidden and not self.k:
            raise ValueError("hidden layers need factors: k must be above 0")
        return self
