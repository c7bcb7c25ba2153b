"""How well plans are made: tools, arguments, questions back, needless changes of the profile, tokens and seconds, over measured cases."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from scenewise.eval.plan_cases import PlanCase
from scenewise.eval.plan_score import UPDATE, Outcome, Score, described, score

Progress = Callable[[int, int | None], None]
Change = Callable[[PlanCase, Outcome], Outcome]
Numbers = NDArray[np.float64]
RESAMPLES = 1_000
Z = 1.959964  # of the normal distribution, for 95%


class Planner(Protocol):
    """What is measured."""

    @property
    def name(self) -> str:
        """What the result calls it."""
        ...

    def plan(self, case: PlanCase) -> Outcome:
        """Plan a case; a planner that fails says `readable` False and raises nothing."""
        ...


def run(
    cases: Sequence[PlanCase], planner: Planner, *, policy: Change | None = None, show: int = 20, seed: int = 0, progress: Progress
) -> dict[str, Any]:
    """Plan every case and report: all, each half, each tag, and up to `show` misses of the dev half (of all where there are no halves).

    With `policy` what it leaves of each plan is measured too, under `after_policy`.
    """
    outcomes: list[Outcome] = []
    for case in cases:
        outcomes.append(planner.plan(case))
        progress(len(outcomes), len(cases))
    result: dict[str, Any] = {"planner": planner.name, "n_cases": len(cases), "seed": seed} | report(cases, outcomes, seed=seed)
    if policy is not None:
        limited = [policy(case, outcome) for case, outcome in zip(cases, outcomes, strict=True)]
        result["after_policy"] = report(cases, limited, seed=seed)
    seconds = [outcome.seconds for outcome in outcomes]
    result["seconds"] = {"p50": round(float(np.percentile(seconds, 50)), 4), "p95": round(float(np.percentile(seconds, 95)), 4)}
    result["completion_tokens_mean"] = round(float(np.mean([outcome.tokens for outcome in outcomes])), 1)
    result["misses"] = misses(cases, outcomes, show)
    return result


def report(cases: Sequence[PlanCase], outcomes: Sequence[Outcome], *, seed: int = 0) -> dict[str, Any]:
    """All cases with intervals, then each half and each tag."""
    scores = [score(case, outcome) for case, outcome in zip(cases, outcomes, strict=True)]

    def part(rows: list[int]) -> dict[str, Any]:
        return figures([cases[row] for row in rows], [scores[row] for row in rows], seed=seed)

    def where(name: str, of: Callable[[PlanCase], Sequence[str]]) -> dict[str, Any]:
        found = sorted({value for case in cases for value in of(case)})
        return {name: {value: part([row for row, case in enumerate(cases) if value in of(case)]) for value in found}} if found else {}

    halves = where("by_half", lambda case: [case.half] if case.half else [])
    return {"all": part([*range(len(cases))])} | halves | where("by_tag", lambda case: case.tags)


def figures(cases: Sequence[PlanCase], scores: Sequence[Score], *, seed: int = 0) -> dict[str, Any]:
    """The figures of some cases. Shares come with Wilson's 95% interval, F1 and arguments with one from resampled cases; None where
    there is nothing to measure."""
    no_tool = [not (one.called or one.asked) for case, one in zip(cases, scores, strict=True) if case.expect.no_tool]
    asks = [(case.expect.ask, one.asked) for case, one in zip(cases, scores, strict=True)]
    unasked = [one.no_cause for case, one in zip(cases, scores, strict=True) if UPDATE not in case.expect.required | case.expect.allowed]
    counts = np.array([(one.hits, one.misses, one.extras, one.args_right, one.args_given) for one in scores], dtype=np.float64)
    resampled = _resampled(counts, seed)
    return {
        "n": len(scores),
        "executable": share([one.executable for one in scores]),
        "whole": share([one.whole for one in scores]),
        "tool_f1": _interval(_f1, counts, resampled),
        "arguments": _interval(_argument_accuracy, counts, resampled),
        "no_tool": share(no_tool),
        "question_back": share([wanted == asked for wanted, asked in asks])
        | {
            "precision": _ratio(sum(wanted and asked for wanted, asked in asks), sum(asked for _, asked in asks)),
            "recall": _ratio(sum(wanted and asked for wanted, asked in asks), sum(wanted for wanted, _ in asks)),
        },
        "update_without_cause": share(unasked),
    }


def share(right: Sequence[bool]) -> dict[str, Any]:
    """A share with Wilson's interval (1927) at 95%.

    >>> share([True] * 9 + [False])
    {'value': 0.9, '95%': [0.5958, 0.9821], 'n': 10}
    """
    n = len(right)
    if n == 0:
        return {"value": None, "95%": None, "n": 0}
    p = sum(right) / n
    middle, spread = p + Z * Z / (2 * n), Z * math.sqrt(p * (1 - p) / n + Z * Z / (4 * n * n))
    low, high = ((middle + sign * spread) / (1 + Z * Z / n) for sign in (-1, 1))
    return {"value": round(p, 4), "95%": [round(max(low, 0.0), 4), round(min(high, 1.0), 4)], "n": n}


def misses(cases: Sequence[PlanCase], outcomes: Sequence[Outcome], most: int) -> list[Mapping[str, Any]]:
    """What went wrong, with what was expected. Cases of the test half are not shown: whoever works on a planner looks at the other half."""
    pairs = [(case, outcome) for case, outcome in zip(cases, outcomes, strict=True) if case.half != "test"]
    wrong = [(case, outcome) for case, outcome in pairs if not score(case, outcome).whole]
    return [described(case, outcome) for case, outcome in wrong[:most]]


def _resampled(counts: Numbers, seed: int) -> Numbers:
    """float64 (RESAMPLES, 5): the sums over cases drawn with replacement."""
    weights = np.random.default_rng(seed).multinomial(len(counts), np.full(len(counts), 1 / len(counts)), size=RESAMPLES)
    return np.asarray(weights @ counts, dtype=np.float64)


def _interval(metric: Callable[[Any], Any], counts: Numbers, resampled: Numbers) -> dict[str, Any]:
    value = float(metric(counts.sum(axis=0)[None])[0])
    if math.isnan(value):
        return {"value": None, "95%": None}
    drawn = metric(resampled)
    low, high = np.nanpercentile(drawn, [2.5, 97.5])
    return {"value": round(value, 4), "95%": [round(float(low), 4), round(float(high), 4)]}


def _f1(sums: Numbers) -> Numbers:
    """Micro F1 of the required tools; a tool that is neither required nor allowed is a false one."""
    twice = 2 * sums[:, 0]
    return _divided(twice, twice + sums[:, 1] + sums[:, 2])


def _argument_accuracy(sums: Numbers) -> Numbers:
    return _divided(sums[:, 3], sums[:, 4])


def _divided(above: Numbers, below: Numbers) -> Numbers:
    return np.divide(above, below, out=np.full_like(above, np.nan), where=below > 0)


def _ratio(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None
