"""Why a collaborative source names an item, in a short clause."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Literal

from scenewise.store.types import Item
from scenewise.tools.collaborative.model import Explaining, Rows, Scorer, Scores, Weights

Clause = Literal["also", "after", "people", "alike"]
_WORDS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "en": MappingProxyType(
            {
                "also": "people who liked {title} also liked it",
                "after": "people often choose it soon after {title}",
                "people": "{n} people chose it",
                "person": "one person chose it",
                "alike": "people with a similar history chose it",
            }
        ),
        "zh": MappingProxyType(
            {
                "also": "喜欢《{title}》的人也喜欢它",
                "after": "很多人在《{title}》之后选了它",
                "people": "有{n}人选过它",
                "person": "有1人选过它",
                "alike": "经历相似的人选过它",
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
) -> list[str]:
    """Give the reason for each candidate of one source.

    `rows`, `weights`: the history (h,), weight 0 where the user did not like it, so that it is never named; `columns`, `scores`:
    the candidates (c,). Where no liked event speaks for a candidate, the reason names none.
    """
    words = _WORDS["zh" if locale.casefold().startswith("zh") else "en"]
    if clause == "people":
        return [words["person" if n == 1 else "people"].format(n=int(n)) for n in scores.tolist()]
    if not isinstance(model, Explaining) or not len(rows) or not len(columns):
        return [words["alike"]] * len(columns)
    parts = model.contributions(rows, weights, columns)  # (h, c)
    speaker, loudest = parts.argmax(axis=0).tolist(), parts.max(axis=0).tolist()
    spoken = [words[clause].format(title=items[row].title) for row in rows.tolist()]
    return [spoken[place] if loud > 0 else words["alike"] for place, loud in zip(speaker, loudest, strict=True)]
