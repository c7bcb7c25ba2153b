"""What is known of items besides behaviour, as arrays over the catalogue's rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from scenewise.store.errors import InputError


@dataclass(frozen=True, eq=False)
class ItemFeatures:
    """`attributes`: csr float32 (n_items, n_values), 1 where the item has the value; `domain`: int16 (n_items,); `text` and `graph`:
    float32 (n_items, d), rows of length 1, zeros where nothing is known, None where there are none at all."""

    attributes: csr_matrix
    domain: NDArray[np.int16]
    text: NDArray[np.float32] | None = None
    graph: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        parts = [self.attributes, self.domain, *(one for one in (self.text, self.graph) if one is not None)]
        if len({part.shape[0] for part in parts}) != 1:
            raise InputError("Item features must all have one row an item of the catalogue.")

    @property
    def n(self) -> int:
        """The number of items."""
        return int(self.attributes.shape[0])
