"""What is kept: items, users, events, edges, profiles and turns, in one folder."""

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
from scenewise.store.events import EventArrays
from scenewise.store.store import Store
from scenewise.store.types import Edge, Event, Item, ItemId, Moment, Place, Profile, Taste, UserId

__all__ = [
    "BudgetLimit",
    "Busy",
    "Edge",
    "Event",
    "EventArrays",
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
    "StepLimit",
    "Stop",
    "Store",
    "StoreError",
    "Taste",
    "TimeLimit",
    "ToolError",
    "ToolFailed",
    "UserId",
]
