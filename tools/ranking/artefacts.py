"""Trained models of a store: versions written whole beside each other, one of them named in `current`.

`<store>/models/<version>/` holds manifest.json, items.npz (the ids of the rows that the models know) and the models' own files, .npz,
safetensors or JSON. A crash leaves the old version or the new one, never half of one.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, JsonValue, StringConstraints, ValidationError

from scenewise.store.errors import InputError, NotFound, StoreError
from scenewise.store.types import ItemId
from scenewise.tools.catalogue.catalogue import Catalogue
from scenewise.tools.collaborative.model import Explaining, Rows, Scorer, Scores, Weights, load_arrays, save_arrays, scores_at

_CURRENT, _MANIFEST, _ITEMS, _PART = "current", "manifest.json", "items.npz", ".part-"
T = TypeVar("T")
_log = logging.getLogger(__name__)
_STAMP = "%Y%m%dT%H%M%S%fZ"
_VERSION = re.compile(r"\d{8}T\d{12}Z")
_KEPT = 2  # the current version and the one before it
_LEAST_COMMON = 0.5  # of the smaller of the two catalogues; with fewer items in common, the models were trained on another one

FileName = Annotated[str, StringConstraints(pattern=r"^\w+(\.\w+)*$")]


class Manifest(BaseModel):
    """What a version was trained on, how, and what it reached.

    `items`: sha256 over the ids in items.npz; `until_s`: time of the newest event, None where there is none; `sources`: the models, in
    their order; `scales`: see `Worth`; `scenes`: the names behind the scene codes; `measures`: on held-back events, by source; `notes`:
    what was left out and why; `files`: name -> sha256.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal[1] = 1
    version: str = ""
    created_s: FiniteFloat = 0.0
    items: str = ""
    n_items: Annotated[int, Field(ge=0)] = 0
    n_users: Annotated[int, Field(ge=0)]
    n_events: Annotated[int, Field(ge=0)]
    until_s: FiniteFloat | None
    seed: int
    sources: tuple[FileName, ...]
    scales: dict[str, FiniteFloat]
    scenes: tuple[str, ...] = ()
    settings: dict[str, JsonValue] = {}
    measures: dict[str, dict[str, FiniteFloat]] = {}
    notes: tuple[str, ...] = ()
    started_from: str | None = None
    files: dict[FileName, str] = {}


@dataclass(frozen=True, eq=False)
class Artefact:
    """A version whose files are whole. `item_ids` are the ids of its rows."""

    folder: Path
    manifest: Manifest
    item_ids: tuple[ItemId, ...]

    @classmethod
    def read(cls, folder: Path) -> Artefact:
        """Read a version's manifest and check each of its files. StoreError where something is missing, damaged, or of a newer format."""
        name = folder.name
        try:
            manifest = Manifest.model_validate_json((folder / _MANIFEST).read_bytes())
            for file, wanted in manifest.files.items():
                with (folder / file).open("rb") as handle:
                    if hashlib.file_digest(handle, "sha256").hexdigest() != wanted:
                        raise StoreError(f"trained models {name}: {file} is damaged; run `scenewise train` again")
            listed = load_arrays(folder / _ITEMS)["item_ids"].tobytes()
        except (OSError, NotFound, KeyError) as error:
            raise StoreError(f"trained models {name}: a file is missing; run `scenewise train` again") from error
        except ValidationError as error:
            raise StoreError(f"trained models {name}: the manifest is damaged or of another version of this program") from error
        if hashlib.sha256(listed).hexdigest() != manifest.items:
            raise StoreError(f"trained models {name}: the item ids are not those it was trained on; run `scenewise train` again")
        return cls(folder, manifest, tuple(map(ItemId, json.loads(listed))))

    def rows_of(self, catalogue: Catalogue) -> NDArray[np.int32]:
        """Return the artefact's row of each item of the catalogue, -1 where it has none: int32 (catalogue.n,).

        InputError where fewer than half of the items are common: the models were trained on another catalogue.
        """
        own = {item_id: row for row, item_id in enumerate(self.item_ids)}
        rows = np.asarray([own.get(item.item_id, -1) for item in catalogue.items], dtype=np.int32)
        common = int((rows >= 0).sum())
        if common < _LEAST_COMMON * min(len(own), catalogue.n) or not common:
            raise InputError(
                f"trained models {self.folder.name} are of another catalogue: {common} of its {catalogue.n} items are known to them; "
                "run `scenewise train`"
            )
        return rows


@dataclass(frozen=True, eq=False)
class Renumbered:
    """A model that was trained on other rows than the catalogue's. `rows`: its row of each catalogue row, int32 (n_items,), -1 for
    items that it does not know: they score 0."""

    model: Scorer
    rows: NDArray[np.int32]

    @property
    def name(self) -> str:
        """The model's name."""
        return self.model.name

    def scores(self, rows: Rows, weights: Weights) -> Scores:
        """Score the catalogue: float32 (n_items,)."""
        return self.scores_in(rows, weights)

    def scores_in(self, rows: Rows, weights: Weights, *, scene: int = -1, scenes: NDArray[np.int16] | None = None) -> Scores:
        """Score the catalogue for a scene, where the model takes one: float32 (n_items,)."""
        own, known = self._own(rows)
        found = scores_at(self.model, own, weights[known], scene=scene, scenes=None if scenes is None else scenes[known])
        return np.where(self.rows >= 0, found[self.rows], np.float32(0))

    def contributions(self, rows: Rows, weights: Weights, columns: Rows) -> Scores:
        """Return float32 (h, c): each event's part of the score, zeros where the model cannot tell."""
        out = np.zeros((len(rows), len(columns)), dtype=np.float32)
        (own, known), (own_columns, known_columns) = self._own(rows), self._own(columns)
        if isinstance(self.model, Explaining):
            out[np.ix_(known, known_columns)] = self.model.contributions(own, weights[known], own_columns)
        return out

    def save(self, path: Path) -> None:
        """Write the model as it was trained, over its own rows."""
        self.model.save(path)

    def _own(self, rows: Rows) -> tuple[Rows, NDArray[np.bool_]]:
        own = self.rows[rows]
        return own[own >= 0], own >= 0


def publish(models: Path, manifest: Manifest, item_ids: Sequence[ItemId], write: Callable[[Path], None], *, now_s: float) -> Manifest:
    """Let `write` put the models' files into a new folder, add ids and manifest, and make it the current version.

    The caller holds the training lock. Returns the manifest as it was written; where `write` or the disk fails, nothing stays.
    """
    version = _next_version(models, now_s)
    stage, name = models / f"{_PART}{version}", models / f"{_PART}{_CURRENT}"
    try:
        stage.mkdir()
        write(stage)
        listed = json.dumps(item_ids).encode()
        save_arrays(stage / _ITEMS, {"item_ids": np.frombuffer(listed, dtype=np.uint8)})
        files = {path.name: _digest(path) for path in sorted(stage.iterdir())}
        items = hashlib.sha256(listed).hexdigest()
        stated = {"version": version, "created_s": now_s, "items": items, "n_items": len(item_ids), "files": files}
        manifest = manifest.model_copy(update=stated)
        (stage / _MANIFEST).write_text(manifest.model_dump_json(indent=1), encoding="utf-8")
        for path in (*stage.iterdir(), stage):
            _flush(path)
        os.rename(stage, models / version)
        _flush(models)
        name.write_text(version, encoding="utf-8")
        _flush(name)
        os.replace(name, models / _CURRENT)
        _flush(models)
    finally:
        clean(models)
    return manifest


def first_usable(models: Path, use: Callable[[Artefact], T]) -> tuple[T | None, tuple[str, ...]]:
    """Return what `use` makes of the current version, or of the one before where that cannot be read or `use` refuses it with InputError,
    NotFound or StoreError; None where there is none. Also returns what was wrong, which is logged."""
    problems: list[str] = []
    for folder in versions(models):
        try:
            return use(Artefact.read(folder)), tuple(problems)
        except (InputError, NotFound, StoreError) as error:
            problems.append(str(error))
            _log.warning("%s", error)
    return None, tuple(problems)


def versions(models: Path) -> list[Path]:
    """List the folders of the versions that may serve, the current one first, then the older ones; none where none was published."""
    try:
        name = (models / _CURRENT).read_text(encoding="utf-8", errors="replace").strip()
    except FileNotFoundError:
        return []
    known = _versions(models)
    if not _VERSION.fullmatch(name):
        _log.warning("models/current does not name a version: the newest one serves; run `scenewise train` again")
        return [models / other for other in known]
    return [models / name, *(models / other for other in known if other < name)]


def mark(models: Path) -> tuple[int, int]:
    """Return what changes whenever another version becomes current: one stat call."""
    try:
        stat = (models / _CURRENT).stat()
    except OSError:
        return (0, 0)
    return stat.st_mtime_ns, stat.st_ino


def clean(models: Path) -> None:
    """Remove what a training that was killed has left, and versions older than the one before the current one."""
    if not models.is_dir():
        return
    kept = [path.name for path in versions(models)][:_KEPT]
    for path in models.iterdir():
        if path.name.startswith(_PART) or (_VERSION.fullmatch(path.name) and path.name not in kept):
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)


def _next_version(models: Path, now_s: float) -> str:
    """Name a version by its time, later than all that are there, also where the clock has been set back."""
    name = datetime.fromtimestamp(now_s, UTC).strftime(_STAMP)
    newest = max(_versions(models), default="")
    return name if name > newest else (datetime.strptime(newest, _STAMP) + timedelta(microseconds=1)).strftime(_STAMP)


def _versions(models: Path) -> list[str]:
    return sorted((path.name for path in models.iterdir() if _VERSION.fullmatch(path.name)), reverse=True)


def _digest(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _flush(path: Path) -> None:
    """Have the disk keep a file or a folder's list of names."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
