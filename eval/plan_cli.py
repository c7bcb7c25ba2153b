"""`scenewise eval plans` and `scenewise eval plan`: make pairs to train planners on, and measure planners."""

from __future__ import annotations

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer

from scenewise.agent.settings import load_settings
from scenewise.eval.console import Json, Out, Report, StoreOption, bar, clear_errors, measured

NOW_S = 1_777_888_800.0  # the clock of generated turns: the same run gives the same turns


def plans(
    out: Annotated[Path, typer.Option("--out", help="Where the pairs go, one JSON object a line.")],
    dev: Annotated[Path | None, typer.Option("--dev", help="Where pairs of templates go that --out has nothing of.")] = None,
    n: Annotated[int, typer.Option("-n", "--n", min=1, max=200_000, help="About how many pairs.")] = 6_000,
    n_dev: Annotated[int, typer.Option("--n-dev", min=0, help="How many are kept back.")] = 300,
    seed: Annotated[int, typer.Option("--seed")] = 0,
    data: Annotated[Path | None, typer.Option("--data", help="The folder of public data: dialogues, nlu, movies, ...")] = None,
    with_nc: Annotated[
        bool, typer.Option("--with-nc", help="Add dialogues under CC BY-NC; what is trained on them may not be sold.")
    ] = False,
) -> None:
    """Make pairs of requests and right plans, from which `scenewise train planner` learns."""
    from scenewise.eval.plans.make import make_pairs, tell, write_pairs

    with clear_errors():
        with bar("pairs") as progress:
            made = make_pairs(data, n=n, n_dev=n_dev if dev else 0, seed=seed, with_nc=with_nc, report=progress)
        write_pairs(out, made.train)
        if dev is not None:
            write_pairs(dev, made.dev)
        typer.echo(tell(made))


def plan(
    cases: Annotated[Path | None, typer.Option("--cases", help="As in docs/planning.md; default: the product's own.")] = None,
    planner: Annotated[str, typer.Option("--planner", help="turn, llm, untrained, react (LangChain's loop), knn or rules.")] = "turn",
    model: Annotated[str | None, typer.Option("--model", help="The served model's name; default: the server's first.")] = None,
    base_url: Annotated[str | None, typer.Option("--base-url", help="A vLLM's address; default: that of the settings.")] = None,
    train: Annotated[Path | None, typer.Option("--train", help="knn: training pairs, a JSON object with request and plan a line.")] = None,
    split: Annotated[str, typer.Option("--split", help="dev, test or all.")] = "all",
    n: Annotated[int | None, typer.Option("-n", "--most", min=1, help="Only the first cases.")] = None,
    after_policy: Annotated[bool, typer.Option("--after-policy", help="Also measure what the policy leaves of the plans.")] = False,
    show: Annotated[int, typer.Option("--show", min=0, help="How many misses to list; those of the test half are not.")] = 20,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the intervals.")] = 0,
    store: StoreOption = None,
    out: Out = None,
    json_: Json = False,
) -> None:
    """Plans for requests written by hand: tools, arguments, questions back, needless changes of the profile, tokens, seconds."""
    from scenewise.eval.plan_cases import CASES
    from scenewise.eval.plan_run import Options, measure
    from scenewise.store.store import Store
    from scenewise.tools.retrieval.encoders import default_encoders
    from scenewise.tools.toolbox import Toolbox

    def work(progress: Report) -> dict[str, Any]:
        settings = load_settings(store=store, llm_url=base_url, llm_model=model)
        options = Options(planner, cases or CASES, split, n, train, after_policy, show, seed)
        with TemporaryDirectory() as scratch:
            copy = Path(scratch) / "store"  # what is cached beside a store that is in use is left as it is
            shutil.copytree(settings.store_path, copy)
            with Store.open(copy, purpose="eval") as opened:
                box = Toolbox.open(opened, default_encoders(settings.encoder))
                return measure(box, options, settings, now_s=NOW_S, progress=progress)

    measured("cases", work, out, json_)
