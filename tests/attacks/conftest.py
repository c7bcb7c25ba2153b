"""One agent for all attacks, on a copy of the small world with hostile items and with a user whose secrets must not come out."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from scenewise import Agent, Event, Item, ItemId, Profile, Settings, Store, Taste, Turn, UserId

from attacks.cases import hostile_items, of_kind  # isort: skip
