"""`scenewise eval copy` and `scenewise eval copies`: measure the copy of lists, and make training pairs for its writer."""

from __future__ import annotations

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer

from scenewise.agent.settings import Settings, load_settings
from scenewise.eval.console import Json, Out, Report, StoreOption, measured
from scenewise.store.errors import InputError

SHOPPERS, EACH = 60, 4  # drawn users of a set without events, and items that each pair of users is written for
NOW_S = 1_777_888_800.0  # the clock of drawn lists: the same run gives the same lists


def copy(
    items: Annotated[int, typer.Option("--items", min=1, help="How many texts.")] = 500,
    users: Annotated[int, typer.Option("--users", min=1, help="Of how many users, besides new ones.")] = 100,
    writing: Annotated[str, typer.Option("--writing", help="guided, free, template; several with commas.")] = "template,guided,free",
    channel: Annotated[str | None, typer.Option("--channel", help="Measure `scenewise copy` in these channels, with commas.")] = None,
    products: Annotated[Path | None, typer.Option("--products", help="With --channel: products.yaml.gz of the Retail Demo Store.")] = None,
    url: Annotated[str | None, typer.Option("--url", help="A vLLM server; default: that of the settings.")] = None,
    model: Annotated[str | None, typer.Option("--model", help="The name that the server gives its model.")] = None,
    read: Annotated[Path | None, typer.Option("--read", help="Write 50 of the last way's texts here, with their evidence.")] = None,
    seed: Annotated[int, typer.Option("--seed", min=0)] = 0,
    store: StoreOption = None,
    out: Out = None,
    json_: Json = False,
) -> None:
    """Copy on real lists: support after the check, templates, rewriting, agreement with the list, variety, length, tokens, time."""

    def work(progress: Report) -> dict[str, Any]:
        settings = load_settings(store=store, llm_url=url, llm_model=model)
        ways = [way for way in writing.split(",") if way]
        if not ways or not {*ways} <= {"guided", "free", "template"}:
            raise InputError("--writing is guided, free or template, or several of these with commas")
        if channel is not None:
            settings = settings.model_copy(update={"llm_off": ways == ["template"], "writing": "free" if "free" in ways else "guided"})
            return _channels(channel.split(","), products, settings, items, seed=seed, progress=progress)
        return _lists(settings, ways, items, users, read, seed=seed, progress=progress)

    measured("texts", work, out, json_)


def _lists(
    settings: Settings, ways: list[str], items: int, users: int, read: Path | None, *, seed: int, progress: Report
) -> dict[str, Any]:
    """Copy of drawn lists, in each way of writing."""
    from scenewise.agent.model import connect
    from scenewise.eval.copy import draw_lists, readable, run
    from scenewise.store.store import Store
    from scenewise.tools.retrieval.encoders import default_encoders
    from scenewise.tools.toolbox import Toolbox

    llm = connect(settings) if {*ways} != {"template"} else None
    if llm is None and {*ways} != {"template"}:
        raise InputError("there is no LLM to write: start one with `scenewise llm start`, or name one by --url")
    with TemporaryDirectory() as scratch:
        folder = Path(scratch) / "store"
        shutil.copytree(settings.store_path, folder)
        kept = Store.open(folder, purpose="eval")
        try:
            box = Toolbox.open(kept, default_encoders(settings.encoder))
            lists = draw_lists(box, items, users, seed=seed, now_s=NOW_S, progress=progress)
        finally:
            kept.close()
    results = []
    for way in ways:
        result, told = run(lists, llm, writing=way, progress=progress)
        results.append(result)
        if read is not None:
            read.write_text(readable(told, 50, seed=seed), encoding="utf-8")
    return {"seed": seed, "users": users, "model": llm.name if llm else None, "ways": results}


def _channels(channels: list[str], products: Path | None, settings: Settings, items: int, *, seed: int, progress: Report) -> dict[str, Any]:
    """Copy of `Agent.write_copy` in each channel: half as many item texts for each of two users, four items a pair."""
    from scenewise.agent.agent import Agent
    from scenewise.agent.item_copy import Wanted
    from scenewise.eval.copy_channels import build_retail, measure

    wanted = [Wanted(channel=one, seed=seed) for one in channels]  # type: ignore[arg-type]  # what is none is refused there
    with TemporaryDirectory() as scratch:
        folder = Path(scratch) / "store"
        if products is not None:
            build_retail(products, folder, shoppers=SHOPPERS, seed=seed)
        else:
            shutil.copytree(settings.store_path, folder)
        with Agent.open(folder, settings=settings, clock=lambda: NOW_S) as agent:
            pairs = max(items // (2 * EACH), 1)
            results = [measure(agent, one, pairs=pairs, each=EACH, seed=seed, progress=progress) for one in wanted]
            name = agent.model.name if agent.model else None
    return {"seed": seed, "data": "retail-demo" if products else "store", "model": name, "channels": results}


def copies(
    out: Annotated[Path, typer.Option("--out", help="Where the training pairs go, one JSON object a line.")],
    dev: Annotated[Path, typer.Option("--dev", help="Where the pairs of the items that are kept back go.")],
    films: Annotated[Path | None, typer.Option("--films", help="The folder of ReDial's film graph (id2info.json.gz).")] = None,
    exercises: Annotated[Path | None, typer.Option("--exercises", help="exercises.json.gz of Free Exercise DB.")] = None,
    products: Annotated[Path | None, typer.Option("--products", help="products.yaml.gz of the Retail Demo Store.")] = None,
    n: Annotated[int, typer.Option("-n", "--pairs", min=1, help="How many pairs.")] = 3_300,
    seed: Annotated[int, typer.Option("--seed", min=0)] = 0,
    store: StoreOption = None,
) -> None:
    """Make training pairs for the writer: facts of an item, and a short text that the check accepts."""
    from scenewise.eval.copies import sources
    from scenewise.eval.copies.generate import generate, write
    from scenewise.store.store import Store
    from scenewise.tools.scene.pack import default_pack

    def work(progress: Report) -> dict[str, Any]:
        kept = Store.open(load_settings(store=store).store_path, beside=True)
        try:
            chosen = [sources.own_catalogue([kept.items.get(item_id) for item_id in kept.items.ids()])]
        finally:
            kept.close()
        chosen += [sources.redial_films(films)] if films else []
        chosen += [sources.exercises(exercises)] if exercises else []
        chosen += [sources.products(products)] if products else []
        return {"seed": seed} | write(generate(chosen, default_pack(), n, seed=seed), out, dev, progress=progress, n=n)

    measured("pairs", work, None, True)
