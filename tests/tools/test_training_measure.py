"""What a training says of its sources."""

import numpy as np

from scenewise.store.types import Item, ItemId
from scenewise.tools.catalogue.catalogue import Catalogue
from scenewise.tools.collaborative.collaborative import Collaborative
from scenewise.tools.collaborative.interactions import HeldBack, Worth, from_columns
from scenewise.tools.features import features_of
from scenewise.tools.ranking.calibration import Calibration, Priors
from scenewise.tools.training.measure import LIST, measure


def test_items_of_other_kinds_do_not_take_the_places_of_the_lists_own() -> None:
    items = [
        Item(ItemId(f"{domain}{n}"), domain, f"{domain} {n}", attributes={"genre": (f"g{n % 2}",)}) for domain in "ab" for n in range(12)
    ]
    catalogue = Catalogue.from_items(items)
    users, rows = np.repeat(np.arange(30), 4), np.tile(np.arange(12, dtype=np.int32), 10)
    events = from_columns(users, rows, np.arange(120.0), np.ones(120, dtype=np.float32), shape=(30, 24))  # nobody took one of b
    sources = Collaborative.fit(events, catalogue, Worth({}), features=features_of(catalogue))
    asked = [HeldBack(0, np.asarray([0, 1, 2], dtype=np.int32), np.ones(3, dtype=np.float32), 3, 1.0)]
    fair = Calibration(priors=Priors(parity=20.0))  # in a mixed list one of b comes first
    said = measure(sources, fair, asked)
    assert said[LIST]["NDCG@10"] == 1.0
