"""What a training sees of a store: its events at one moment, and the scene that each happened in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scenewise.store.errors import InputError
from scenewise.store.events import EventArrays
from scenewise.store.store import Store
from scenewise.store.types import ItemId
from scenewise.tools.catalogue.catalogue import Catalogue
from scenewise.tools.collaborative.interactions import Interactions, Worth, from_columns, interactions_of, learn_worth
from scenewise.tools.collaborative.scenes import SceneReader
from scenewise.tools.retrieval.encoders import Encoders
from scenewise.tools.scene.pack import ScenePack, read_pack
from scenewise.tools.scene.recogniser import SceneRecogniser


@dataclass(frozen=True, eq=False)
class Snapshot:
    """`scenes` are the names behind the scene codes of the sequences; `until_s` is the time of the newest event, None without any."""

    catalogue: Catalogue
    pack: ScenePack
    interactions: Interactions
    worth: Worth
    scenes: tuple[str, ...]
    n_events: int
    until_s: float | None

    @classmethod
    def of(cls, store: Store, encoders: Encoders, *, scenes: tuple[str, ...] = ()) -> Snapshot:
        """Read the store. The scenes of an earlier version come first, so that their codes stay. InputError where it has no items."""
        catalogue = Catalogue.from_store(store)
        if not catalogue.n:
            raise InputError("the store has no items to learn about: load some with `scenewise ingest`")
        arrays, pack = store.events.arrays(moments=True), read_pack(store.scenes_path)
        names = tuple(dict.fromkeys((*scenes, *pack.names)))
        worth = learn_worth(arrays)
        interactions = interactions_of(arrays, catalogue, worth, scenes=scenes_of_events(arrays, SceneRecogniser(pack, encoders), names))
        return cls(catalogue, pack, interactions, worth, names, arrays.n, float(arrays.time_s.max()) if arrays.n else None)

    @property
    def item_ids(self) -> tuple[ItemId, ...]:
        """The ids of the catalogue's rows."""
        return tuple(item.item_id for item in self.catalogue.items)

    def of_users_since(self, time_s: float) -> Interactions:
        """Return all events of those users who did something after a time."""
        whole = self.interactions
        users, sequences = whole.sequences.user_of_event(), whole.sequences
        keep = np.isin(users, users[sequences.times_s > time_s])
        scenes = None if sequences.scenes is None else sequences.scenes[keep]
        columns = (users[keep], sequences.rows[keep], sequences.times_s[keep], whole.worth[keep])
        return from_columns(*columns, shape=whole.matrix.shape, scenes=scenes)


def scenes_of_events(arrays: EventArrays, recogniser: SceneRecogniser, names: tuple[str, ...]) -> NDArray[np.int16] | None:
    """Return the place in `names` of each event's scene, -1 where none is likely: int16 (n,); None where no event has a moment.

    Each set of circumstances is read once, however many events share it.
    """
    if arrays.moment is None or not arrays.moments:
        return None
    code = {name: number for number, name in enumerate(names)}
    reader = SceneReader(recogniser)
    codes = [code.get(reader.scene_of(moment) or "", -1) for moment in arrays.moments]
    return np.asarray([*codes, -1], dtype=np.int16)[arrays.moment]  # the last one is for events without a moment, whose place is -1
