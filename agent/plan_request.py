"""What the planner is told of a turn, and the prompt made of it. The same in a turn, in training data and in measured cases."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scenewise.prompts import Message, load

PROMPT = "plan_short"
MAX_LISTED, TITLE_CHARS, MESSAGE_CHARS, BEFORE_CHARS, PROFILE_CHARS = 8, 60, 400, 120, 160
_BREAKS = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class PlanRequest:
    """`messages`: the conversation, oldest first, each with `role` and `content`; the last one is the user's new message. `scene`: the
    recognised scene. `profile`: a few words, "likes Fargo, jazz; dislikes horror". `last_items`: the titles of the last list in order."""

    messages: Sequence[Mapping[str, str]]
    scene: str | None = None
    profile: str = ""
    last_items: Sequence[str] = ()

    @property
    def new_text(self) -> str:
        """The user's new message as the planner sees it."""
        said = self._said()
        return _data(said[-1] if said else "", MESSAGE_CHARS)

    @property
    def earlier_text(self) -> str:
        """The two messages before it as the planner sees them."""
        return " | ".join(_data(text, BEFORE_CHARS) for text in self._said()[-3:-1])

    def prompt_messages(self) -> list[Message]:
        """The prompt: a constant system message, and one user message with all of the request in a fixed layout.

        Nothing that a user or an item says can open a line of its own or look like a mark of the layout.
        """
        listed = [f"{place} {_data(title, TITLE_CHARS)}" for place, title in enumerate(self.last_items[:MAX_LISTED], 1)]
        return load(PROMPT).messages(
            listed=" | ".join(listed),
            scene=_data((self.scene or "").replace("_", " "), TITLE_CHARS),
            profile=_data(self.profile, PROFILE_CHARS),
            before=self.earlier_text,
            message=self.new_text,
        )

    def _said(self) -> list[str]:
        return [one["content"] for one in self.messages if one["role"] == "user"]

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> PlanRequest:
        """Read the fields of a training pair's `request` or of a measured case; a scene may stand in its `moment`."""
        scene = data.get("scene") or (data.get("moment") or {}).get("scene")
        return cls(tuple(data["messages"]), scene, str(data.get("profile") or ""), tuple(data.get("last_items") or ()))


def _data(text: str, most: int) -> str:
    """A text on one line, without the marks of the layout, cut to `most` characters."""
    return _BREAKS.sub(" ", text).replace("[", "(").replace("]", ")").replace("|", "/").strip()[:most]
