"""How well sources, and the list made of them, tell events that they have not seen."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from scenewise.tools.collaborative.collaborative import Collaborative
from scenewise.tools.collaborative.interactions import HeldBack
from scenewise.tools.ranking.calibration import Calibration
from scenewise.tools.ranking.fusion import rank_rows

LIST = "list"
_ASKED = 500
_CUT = 10


def measure(sources: Collaborative, calibration: Calibration, asked: Sequence[HeldBack]) -> dict[str, dict[str, float]]:
    """Return NDCG@10 and HR@10 of each source and of the list, over at most 500 of the questions; nothing where there are none.

    Over all items of the target's domain (as when a turn asks for one kind of item; others have their fair chance in a mixed list),
    seen ones masked, ties against the source. The list's weights were learned from such questions too: it is the sources' own
    figures, and a version's beside the next one's, that this is for; `scenewise eval` measures the list.
    """
    if not asked:
        return {}
    ranks: dict[str, list[float]] = {name: [] for name in (*sources.models, LIST)}
    domains = sources.catalogue.columns.domain_code
    for one in asked[:: -(-len(asked) // _ASKED)]:
        free = domains == domains[one.target]
        free[one.rows] = False
        for name in sources.models:
            scores = sources.score(name, one.rows, one.worth, scene=one.scene, scenes=one.scenes)
            ranks[name].append(float(np.count_nonzero(scores[free] >= scores[one.target])) if scores[one.target] > 0 else np.inf)
        ranked, _ = rank_rows(sources, calibration, one.rows, one.worth, free=free, scene=one.scene, scenes=one.scenes)
        place = np.flatnonzero(ranked == one.target)
        ranks[LIST].append(float(place[0]) + 1 if len(place) else np.inf)
    return {name: _gain(np.asarray(of)) for name, of in ranks.items()}


def _gain(ranks: np.ndarray[tuple[int], np.dtype[np.float64]]) -> dict[str, float]:
    hit = ranks <= _CUT
    return {f"NDCG@{_CUT}": float(np.where(hit, 1 / np.log2(ranks + 1), 0.0).mean()), f"HR@{_CUT}": float(hit.mean())}
