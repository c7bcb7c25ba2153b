"""Heads are kept in a folder, so that they are learned once and not in every process."""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from pathlib import Path

import numpy as np

from scenewise.tools.graph.extraction.heads import VERSION, Examples, SpanHead, load_examples
from scenewise.tools.retrieval.encoders import TextEncoder

_FORMAT = 1


def kept_head(section: str, encoder: TextEncoder, folder: Path | None) -> SpanHead:
    """The head of a kind of text as it is kept in `folder`; learned, and kept, where there is none of these examples and this encoder or
    its file is damaged. A folder that cannot be written to is left alone."""
    examples = load_examples()[section]
    if folder is None:
        return SpanHead.train(encoder, examples)
    path, key = folder / f"{section}.safetensors", _key(examples, encoder)
    head = _load(path, key, encoder, examples)
    if head is None:
        head = SpanHead.train(encoder, examples)
        _save(path, key, head)
    return head


def _key(examples: Examples, encoder: TextEncoder) -> str:
    """What a head depends on. Not the schema: it says later which of the types count."""
    names = {kind: sorted(listed) for kind, listed in examples.names.items()}
    return hashlib.sha256(json.dumps([_FORMAT, VERSION, encoder.name, encoder.dim, examples.texts, names]).encode()).hexdigest()


def _save(path: Path, key: str, head: SpanHead) -> None:
    from safetensors.numpy import save_file

    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file(
            {name: np.ascontiguousarray(rows) for name, rows in head.arrays.items()}, part, {"key": key, "kinds": json.dumps(head.kinds)}
        )
        part.replace(path)
    except OSError:
        with suppress(OSError):
            part.unlink()


def _load(path: Path, key: str, encoder: TextEncoder, examples: Examples) -> SpanHead | None:
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        return None
    try:
        with safe_open(path, framework="numpy") as file:
            about = file.metadata() or {}
            if about.get("key") != key:
                return None
            kinds = json.loads(about["kinds"])
            arrays = {name: file.get_tensor(name) for name in ("weights", "bias", "reach")}
    except (SafetensorError, OSError, ValueError, KeyError):
        return None
    shapes = [arrays[name].shape for name in ("weights", "bias", "reach")]
    fits = shapes[0][1:] == shapes[1] == shapes[2] == (len(kinds),) and all(np.isfinite(rows).all() for rows in arrays.values())
    return SpanHead(encoder, examples, kinds, arrays) if fits else None
