"""The parts of `scenewise eval plan`: a planner by name over a store, its result with model and prompt versions."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scenewise.agent.model import VllmModel, connect
from scenewise.agent.plan_neighbours import NeighbourPlanner, read_known
from scenewise.agent.plan_request import PROMPT
from scenewise.agent.settings import Settings
from scenewise.eval.plan import Planner, Progress, run
from scenewise.eval.plan_cases import CASES, read_cases
from scenewise.eval.plan_planners import KnnPlanner, LlmPlanner, ReactPlanner, TurnPlanner, UntrainedPlanner
from scenewise.eval.plan_turns import CaseReader, RulesPlanner
from scenewise.prompts import load
from scenewise.store.errors import InputError, NotFound
from scenewise.tools.toolbox import Toolbox

PLANNERS = ("turn", "llm", "untrained", "react", "knn", "rules")
Make = Callable[[VllmModel, CaseReader, asyncio.Runner], Planner]
_OF_MODEL: Mapping[str, Make] = {
    "turn": TurnPlanner,
    "llm": LlmPlanner,
    "untrained": UntrainedPlanner,
    "react": ReactPlanner,
}
_PROMPTS = {"turn": PROMPT, "llm": PROMPT, "untrained": "plan", "react": "plan"}


@dataclass(frozen=True, slots=True)
class Options:
    """What is measured: the planner by name, over which cases (of a `half`, the first `most`), with which training
    pairs (knn)."""

    planner: str
    cases: Path = CASES
    half: str = "all"
    most: int | None = None
    train: Path | None = None
    after_policy: bool = False
    show: int = 20
    seed: int = 0


def measure(box: Toolbox, options: Options, settings: Settings, *, now_s: float, progress: Progress) -> dict[str, Any]:
    """Measure a planner on cases. Raises InputError and NotFound for options that do not go together, and where no LLM runs."""
    if options.planner not in PLANNERS:
        raise InputError(f"--planner is one of {', '.join(PLANNERS)}")
    cases = read_cases(options.cases, options.half)[: options.most]
    reader = CaseReader(box, now_s=now_s)
    policy = reader.limited if options.after_policy else None
    with asyncio.Runner() as runner:
        planner, told = _planner(box, options, settings, reader, runner)
        result = run(cases, planner, policy=policy, show=options.show, seed=options.seed, progress=progress)
        if isinstance(told.get("client"), VllmModel):
            runner.run(told.pop("client").close())
    return {"cases": options.cases.name, "half": options.half} | told | result


def _planner(
    box: Toolbox, options: Options, settings: Settings, reader: CaseReader, runner: asyncio.Runner
) -> tuple[Planner, dict[str, Any]]:
    """The planner, and what the result says of it."""
    if options.planner == "rules":
        return RulesPlanner(reader), {}
    if options.planner == "knn":
        if options.train is None or not options.train.is_file():
            raise NotFound("knn needs known plans: give a file of training pairs with --train")
        known = read_known(options.train)
        return KnnPlanner(NeighbourPlanner(known, box.encoders, box.catalogue, box.concepts)), {"known_plans": len(known)}
    model = connect(settings)
    if not isinstance(model, VllmModel):
        raise NotFound("no LLM runs: start one with `scenewise llm start`, or give its address with --base-url")
    told = {"model": model.name, "prompt": load(_PROMPTS[options.planner]).tag, "client": model}
    return _OF_MODEL[options.planner](model, reader, runner), told
