"""The settings of a LoRA training."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat

Count = Annotated[int, Field(ge=1)]
Share = Annotated[FiniteFloat, Field(ge=0, lt=1)]
Amount = Annotated[FiniteFloat, Field(gt=0)]


class LanguageConfig(BaseModel):
    """All there is to choose. Two trainings with the same settings, data and number of threads, without `minutes`, end alike.

    `layers`: how many at the top learn; those below run once a row. `rank`, `alpha`, `dropout`: of LoRA (Hu et al. 2021; the learned
    matrices count alpha/rank times). `lr` rises over the first `warm_up` of the training and falls as a cosine to a twentieth.
    `epochs` at most, `minutes` of wall time at most (the rate falls by then). `tokens`: of a step. `clip`: longest gradient.
    `looks`: how often the held-back rows are looked at, `dev_rows` of them at most; the best look is kept. `longest`: tokens of a row;
    longer ones are left out. `keep_every`: steps between checkpoints. `precision`: auto takes bfloat16 products where the processor
    has tiles for them (AMX) or there is a GPU, else float32; sums, norms and what is learned are float32 always.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    layers: Count = 12
    rank: Count = 16
    alpha: Amount = 32.0
    dropout: Share = 0.0
    lr: Amount = 5e-4
    warm_up: Share = 0.05
    weight_decay: Share = 0.0
    clip: Amount = 1.0
    epochs: Count = 3
    minutes: Amount | None = None
    tokens: Count = 1024
    looks: Count = 8
    dev_rows: Count = 300
    longest: Count = 768
    keep_every: Count = 50
    seed: Annotated[int, Field(ge=0)] = 0
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    device: Annotated[str, Field(pattern=r"^(auto|cpu|cuda(:\d+)?)$")] = "auto"

    def learns_alike(self) -> str:
        """Return what a training that goes on from a checkpoint must have in common with the one that wrote it."""
        free = {"minutes", "epochs", "looks", "dev_rows", "keep_every", "device"}
        return self.model_dump_json(exclude=free)
