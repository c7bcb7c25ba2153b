"""Tensors in a file: safetensors with words in its head, written whole or not at all."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from scenewise.store.errors import NotFound, StoreError

_WORDS = "words"  # one key, as safetensors writes several in no fixed order, and equal models should give equal files


def write_tensors(path: Path, tensors: Mapping[str, Tensor], words: Mapping[str, str]) -> None:
    """Write tensors and words so that a crash leaves the old file or the new one. OSError where the folder cannot be written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(
                save(
                    {key: tensor.detach().cpu().contiguous() for key, tensor in tensors.items()},
                    {_WORDS: json.dumps(dict(words), sort_keys=True)},
                )
            )
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Read what write_tensors wrote. NotFound where there is none, StoreError where it is damaged."""
    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, json.loads((file.metadata() or {}).get(_WORDS, "{}"))  # noqa: SIM118
    except FileNotFoundError as error:
        raise NotFound("There is no saved model at this path; fit one first.") from error
    except (SafetensorError, OSError, json.JSONDecodeError) as error:
        raise StoreError("The saved model is damaged; delete the file and fit again.") from error
