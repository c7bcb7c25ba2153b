"""What every tool of a turn may know. It comes from the session and the agent's own reading, never from an LLM's arguments."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from scenewise.store.types import Event, Moment, Profile, UserId
from scenewise.tools.catalogue.constraints import Constraints
from scenewise.tools.scene.reading import SceneReading


@dataclass(frozen=True)
class TurnContext:
    """`history` is oldest first; `allowed` is bool (n_items,) over the catalogue's rows: what the constraints let pass;
    `may_write_profile` is True only where the user asked for it in this turn's own words."""

    user_id: UserId | None
    message: str
    moment: Moment
    scene: SceneReading
    profile: Profile
    history: tuple[Event, ...]
    constraints: Constraints
    allowed: NDArray[np.bool_]
    now_s: float
    k: int = 5
    may_write_profile: bool = False
    seed: int = 0
    notes: dict[str, str] = field(default_factory=dict)
