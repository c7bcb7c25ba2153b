"""Take in a scene pack: one TOML file beside the store."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from scenewise.store.errors import InputError, NotFound

_MOST_BYTES = 1_000_000


def copy_scenes(path: Path, target: Path, validate: Callable[[Path], object]) -> bool:
    """Check a scene pack and put it at `target`, whole or not at all; return whether that changed anything.

    What is checked is the copy, so that what lies at `target` has been checked whatever happens to the original.
    Raises NotFound, InputError, and what `validate` raises.
    """
    if not path.is_file():
        raise NotFound(f"There is no file {path}.")
    content = path.read_bytes()
    if not content.strip():
        raise InputError(f"{path.name} is empty: a scene pack holds at least one scene.")
    if len(content) > _MOST_BYTES:
        raise InputError(f"{path.name} is larger than 1 MB, which no scene pack needs to be.")
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".scenes-") as folder:
        copy = Path(folder) / path.name
        with copy.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        validate(copy)
        if target.is_file() and target.read_bytes() == content:
            return False
        copy.replace(target)
    return True
