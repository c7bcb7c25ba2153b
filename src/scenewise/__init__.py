"""Scenewise: an LLM agent that recommends across scenes.

>>> from scenewise import Agent, Moment
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scenewise.store.errors import (
    BudgetLimit,
    Busy,
    InputError,
    ModelError,
    NotAllowed,
    NotFound,
    RetryTool,
    ScenewiseError,
    StepLimit,
    Stop,
    StoreError,
    TimeLimit,
    ToolError,
    ToolFailed,
)
from scenewise.store.types import Edge, Event, Item, ItemId, Moment, Place, Profile, Taste, UserId

if TYPE_CHECKING:
    from scenewise.agent.agent import Agent
    from scenewise.agent.audience import Segment
    from scenewise.agent.item_copy import Copy
    from scenewise.agent.record import Step, Turn, TurnItem
    from scenewise.agent.scripted import ScriptedModel
    from scenewise.agent.settings import Settings
    from scenewise.store.store import Store

_LATER = {
    "Agent": "scenewise.agent.agent",
    "Step": "scenewise.agent.record",
    "Copy": "scenewise.agent.item_copy",
    "Segment": "scenewise.agent.audience",
    "Turn": "scenewise.agent.record",
    "TurnItem": "scenewise.agent.record",
    "ScriptedModel": "scenewise.agent.scripted",
    "Settings": "scenewise.agent.settings",
    "Store": "scenewise.store.store",
}

__all__ = [
    "Agent",
    "BudgetLimit",
    "Busy",
    "Copy",
    "Edge",
    "Event",
    "InputError",
    "Item",
    "ItemId",
    "ModelError",
    "Moment",
    "NotAllowed",
    "NotFound",
    "Place",
    "Profile",
    "RetryTool",
    "ScenewiseError",
    "ScriptedModel",
    "Segment",
    "Settings",
    "Step",
    "StepLimit",
    "Stop",
    "Store",
    "StoreError",
    "Taste",
    "TimeLimit",
    "ToolError",
    "ToolFailed",
    "Turn",
    "TurnItem",
    "UserId",
]


def __getattr__(name: str) -> Any:
    """Load what needs LangGraph, torch and the rest only when it is asked for."""
    if name in _LATER:
        from importlib import import_module

        return getattr(import_module(_LATER[name]), name)
    raise AttributeError(f"module 'scenewise' has no attribute {name!r}")
