"""`scenewise eval simulate`: whole conversations with simulated users."""

from __future__ import annotations

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer

from scenewise.agent.settings import load_settings
from scenewise.eval.console import Json, Out, Report, measured
from scenewise.store.errors import InputError
from scenewise.store.types import Item

if TYPE_CHECKING:
    from scenewise.eval.simulate import Case

NOW_S = 1_777_888_800.0  # the clock of the conversations: the same run gives the same turns


def simulate(
    cases: Annotated[Path, typer.Option("--cases", help="Dialogues whose recommended items are the targets; as in `eval conversation`.")],
    kg: Annotated[Path, typer.Option("--kg", help="The folder of the named graph, of which the catalogue is made.")],
    train: Annotated[list[Path] | None, typer.Option("--train", help="Other dialogues: what they name counts as behaviour.")] = None,
    ratings: Annotated[
        Path | None, typer.Option("--ratings", help="A movielens set as behaviour; default: ml-latest-small beside the graph.")
    ] = None,
    n: Annotated[int, typer.Option("-n", "--conversations", min=1, help="Conversations a simulator, one a dialogue.")] = 100,
    k: Annotated[int, typer.Option("-k", min=1, max=100, help="Items shown a turn.")] = 5,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Which dialogues, and what the users say.")] = 0,
    llm: Annotated[str, typer.Option("--llm", help="off: none; running: that of the settings.")] = "off",
    folder: Annotated[Path | None, typer.Option("--folder", help="Keep the store that is made here, and use it the next time.")] = None,
    transcripts: Annotated[Path | None, typer.Option("--transcripts", help="Write conversations to this file, to be read.")] = None,
    show: Annotated[int, typer.Option("--show", min=1, help="How many of each kind.")] = 10,
    out: Out = None,
    json_: Json = False,
) -> None:
    """Simulated users of two kinds: success within five turns, leaks, the catalogue kept, time; beside lists that do not listen."""
    from scenewise.eval.data.dialogues import read_domain, read_examples, read_ratings
    from scenewise.eval.simulate import choices_of, draw_cases, read_items, write_talks

    def work(progress: Report) -> dict[str, Any]:
        if llm not in ("off", "running"):
            raise InputError("--llm is off or running")
        domain = read_domain(kg)
        items = read_items(domain, kg)
        beside = kg.resolve().parent / "ml-latest-small"
        rated = ratings or (beside if beside.is_dir() else None)
        if train:
            choices = choices_of(domain, [example for path in train for example in read_examples(path)])
        else:
            choices = read_ratings(rated, kg, domain) if rated else None
        drawn = draw_cases(domain, items, read_examples(cases), n, seed)
        figures, talks = _talk(items, choices, drawn, folder, llm=llm, k=k, seed=seed, progress=progress)
        if transcripts is not None:
            write_talks(transcripts, talks, {item.item_id: item for item in items}, show)
        behaviour = {"users": 0, "choices": 0} if choices is None else {"users": choices.shape[0], "choices": int(choices.nnz)}
        told = {"cases": cases.name, "items": len(items), "behaviour": behaviour, "k": k, "llm": llm}
        return told | figures

    measured("conversations", work, out, json_)


def _talk(
    items: list[Item], choices: Any, drawn: list[Case], folder: Path | None, *, llm: str, k: int, seed: int, progress: Report
) -> tuple[dict[str, Any], Any]:
    """Hold the conversations with the agent and the lists that do not listen, on a store made of the items and choices."""
    from scenewise.agent.agent import Agent
    from scenewise.eval.simulate import agent_system, build_store, list_system, run, server_counts

    counts = np.zeros(len(items)) if choices is None else np.bincount(choices.nonzero()[1], minlength=len(items))
    popular = [items[row].item_id for row in np.argsort(-counts, kind="stable")]
    with TemporaryDirectory() as scratch:
        store = folder or Path(scratch) / "made"
        if not (store / "store.sqlite").is_file():
            build_store(store, items, choices, NOW_S)
        Agent.open(store, settings=load_settings(store=store, llm_off=True)).close()  # its caches are made once
        copy = Path(scratch) / "store"  # turns are kept: not in the store that is measured
        shutil.copytree(store, copy)
        settings = load_settings(store=copy, llm_off=True if llm == "off" else None)
        with Agent.open(copy, settings=settings, clock=lambda: NOW_S) as agent:
            if llm == "running" and agent.model is None:
                raise InputError("no LLM runs: start one, or name one in the settings")
            agent.turn("hello", None)
            systems = {
                "agent": agent_system(agent, k),
                "popularity": list_system(lambda _: popular, k),
                "random": list_system(lambda rng: rng.sample(popular, len(popular)), k),
            }
            before = server_counts(agent.model)
            figures, talks = run(drawn, items, systems, seed=seed, progress=progress)
            after = server_counts(agent.model)
    figures["agent"]["llm_server"] = {name: after[name] - before.get(name, 0.0) for name in after}
    return figures, talks
