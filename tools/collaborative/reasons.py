"""Why a collaborative source names an item, in a short clause."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from scenewise.store.types import Item
from scenewise.tools.collaborative.model import Explaining, Rows, Scorer, Scores, Weights

Clause = Literal["also", "after", "around", "people", "alike", "resembles"]
_WORDS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "en": MappingProxyType(
            {
                "also": "people who liked {title} also liked it",
                "after": "people often choose it soon after {title}",
                "around": "people often choose it soon before or after {title}",
                "people": "{n} people chose it",
                "person": "one person chose it",
                "alike": "people with a similar history chose it",
                "resembles": "it has much in common with what people who liked {title} chose",
                "new": "it has much in common with what people with a similar history chose",
            }
        ),
        "zh": MappingProxyType(
            {
                "also": "喜欢《{title}》的人也喜欢它",
                "after": "很多人在《{title}》之后选了它",
                "around": "很多人在选《{title}》前后选了它",
                "people": "有{n}人选过它",
                "person": "有1人选过它",
                "alike": "经历相似的人选过它",
                "resembles": "它与喜欢《{title}》的人所选的内容有很多共同点",
                "new": "它与经历相似的人所选的内容有很多共同点",
            }
        ),
    }
)


def explain(
    model: Scorer,
    rows: Rows,
    weights: Weights,
    columns: Rows,
    scores: Scores,
    *,
    clause: Clause,
    items: Sequence[Item],
    locale: str,
    chosen: NDArray[np.bool_] | None = None,
) -> list[str]:
    """Give the reason for each candidate of one source.

    `rows`, `weights`: the history (h,), weight 0 where the user did not like it, so that it is never named; `columns`, `scores`:
    the candidates (c,); `chosen`: bool (c,), False where nobody has chosen the candidate, None: all were. Where no liked event speaks
    for a candidate, the reason names none; of what is alike it names only things of the candidate's kind.
    """
    words = _WORDS["zh" if locale.casefold().startswith("zh") else "en"]
    if clause == "people":
        return [words["person" if n == 1 else "people"].format(n=int(n)) for n in scores.tolist()]
    known = np.ones(len(columns), dtype=bool) if chosen is None else chosen
    plain = [words["alike" if one and clause != "resembles" else "new"] for one in known.tolist()]
    if not isinstance(model, Explaining) or not len(rows) or not len(columns):
        return plain
    parts = model.contributions(rows, weights, columns)  # (h, c)
    if clause == "resembles":  # a soup has little in common with a film, whatever their tags share
        kinds = [[items[row].domain for row in side.tolist()] for side in (rows, columns)]
        parts = np.where(np.asarray(kinds[0])[:, None] == np.asarray(kinds[1])[None, :], parts, 0.0)
    speaker, loudest = parts.argmax(axis=0).tolist(), parts.max(axis=0).tolist()
    spoken = [words[clause].format(title=items[row].title) for row in rows.tolist()]
    return [spoken[place] if loud > 0 else other for place, loud, other in zip(speaker, loudest, plain, strict=True)]
