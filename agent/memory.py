"""What a conversation remembers between turns. It is kept by the LangGraph checkpointer as plain JSON data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from scenewise.store.types import ItemId
from scenewise.tools.catalogue.constraints import Constraints
from scenewise.tools.catalogue.texts import INGREDIENT

KEPT_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Memory:
    """`items` is the last list in order, `shown_s` when each item was last shown (unix time), `rejected` what the user did not want again;
    `ban` holds attribute bans said in this conversation; `scene` the last recognised scene, `turn_id` the turn that made the
    last list; `corrected` and `place` are the scene and the type of place that the user put right: they hold until the conversation
    ends or the user says otherwise; `focus` is the item that was spoken of last, None since the last list; `moment` the
    device, type of place and local time (unix seconds) of the last turn; `asked` the messages that the last list answers, the request and
    what narrowed it (agent/wants.py)."""

    turn_id: str | None = None
    items: tuple[ItemId, ...] = ()
    shown_s: Mapping[ItemId, float] = field(default_factory=dict)
    rejected: tuple[ItemId, ...] = ()
    ban: Mapping[str, tuple[str, ...]] | None = None
    scene: str | None = None
    turns: int = 0
    corrected: str | None = None
    place: str | None = None
    focus: ItemId | None = None
    moment: tuple[str | None, str | None, float] | None = None
    asked: tuple[str, ...] = ()

    def constraints(self, *, lifted: Mapping[str, Mapping[str, float]] | None = None) -> Constraints:
        """The conditions that still hold from earlier turns.

        Who now wishes for something that was ruled out (`lifted`) has changed their mind: the bans said before then hold no longer, all
        of them, since "nothing violent" rules out more than the one word that is wished for; foods only where one of them is wished for.
        """
        ban = {name: frozenset(values) for name, values in (self.ban or {}).items()}
        if any(ban.get(name, frozenset()) & frozenset(values) for name, values in (lifted or {}).items()):
            wished = frozenset(value for values in (lifted or {}).values() for value in values)
            ban = {name: values for name, values in ban.items() if name == INGREDIENT and not values & wished}
        return Constraints(ban=ban, ban_items=frozenset(self.rejected))

    def showing(self, items: Iterable[ItemId], now_s: float) -> dict[ItemId, float]:
        """`shown_s` after a new list, the last 200 items."""
        later = {item_id: time_s for item_id, time_s in self.shown_s.items() if item_id not in {*items}} | dict.fromkeys(items, now_s)
        return dict([*later.items()][-KEPT_SHOWN:])

    def to_json(self) -> dict[str, Any]:
        """Plain data for the checkpoint."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any] | None) -> Memory:
        """Read a checkpoint's data; an empty memory where there is none."""
        if not data:
            return cls()
        ids = {name: tuple(ItemId(value) for value in data.get(name, ())) for name in ("items", "rejected")}
        shown_s = {ItemId(item_id): float(time_s) for item_id, time_s in data.get("shown_s", {}).items()}
        ban = {str(name): tuple(values) for name, values in (data.get("ban") or {}).items()}
        memory = cls(data.get("turn_id"), ids["items"], shown_s, ids["rejected"], ban, data.get("scene"), int(data.get("turns", 0)))
        at = data.get("moment")
        moment = (at[0], at[1], float(at[2])) if at else None
        asked = tuple(str(text) for text in data.get("asked", ()))
        memory = replace(memory, corrected=data.get("corrected"), place=data.get("place"), focus=data.get("focus"))
        return replace(memory, moment=moment, asked=asked)
