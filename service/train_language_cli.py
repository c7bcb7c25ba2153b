"""`scenewise train planner`, `writer`, `extractor`, `language`: teach the small language model its jobs."""

from __future__ import annotations

import shlex
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from scenewise.agent.settings import load_settings
from scenewise.service import console as c
from scenewise.service.llm import SMALL_MODEL

TASKS = {"planner": ("plan",), "writer": ("write",), "extractor": ("extract",), "language": ()}
"""The rows that each command learns from, by their `task`; all of a file's for `language`."""


def train_language(
    context: typer.Context,
    data: Annotated[list[Path], typer.Option("--data", help="JSON lines with task, messages and completion; as often as needed.")],
    dev: Annotated[list[Path], typer.Option("--dev", help="Rows kept back, by which the best state is chosen; as often as needed.")],
    out: Annotated[Path, typer.Option("--out", help="The adapter's folder.")],
    base: Annotated[Path | None, typer.Option("--base", help="A llama model's folder; default: what `llm fetch` made.")] = None,
    start: Annotated[Path | None, typer.Option("--from", help="An adapter's folder to go on from, of the same layers and rank.")] = None,
    epochs: Annotated[int, typer.Option("--epochs", min=1, help="At most so many passes over the rows.")] = 3,
    minutes: Annotated[float | None, typer.Option("--minutes", min=0.01, help="At most so long; the learning rate falls by then.")] = None,
    threads: Annotated[int | None, typer.Option("--threads", min=1, help="Cores to use; default: all.")] = None,
    layers: Annotated[int, typer.Option("--layers", min=1, help="How many layers at the top learn.")] = 12,
    rank: Annotated[int, typer.Option("--rank", min=1, help="Rank of what they learn.")] = 16,
    lr: Annotated[float, typer.Option("--lr", min=0, help="Highest learning rate.")] = 5e-4,
    dropout: Annotated[float, typer.Option("--dropout", min=0, max=0.9, help="Share of LoRA's inputs left out in a step.")] = 0.0,
    tokens: Annotated[int, typer.Option("--tokens", min=1, help="Tokens a step.")] = 1024,
    looks: Annotated[int, typer.Option("--looks", min=1, help="How often the kept-back rows are looked at.")] = 8,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Two trainings with one seed, data and number of threads end alike.")] = 0,
    json_: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Train a LoRA adapter of the small model. A training that was stopped goes on where it was, given the same command."""
    with c.clear_errors(json_):
        import torch

        from scenewise.tools.training.language.config import LanguageConfig
        from scenewise.tools.training.language.train import train_language as train

        if threads is not None:
            torch.set_num_threads(threads)
        chosen = {"layers": layers, "rank": rank, "alpha": 2 * rank, "dropout": dropout, "lr": lr, "tokens": tokens}
        config = LanguageConfig.model_validate(chosen | {"epochs": epochs, "minutes": minutes, "looks": looks, "seed": seed})
        base = base or load_settings().home / "models" / SMALL_MODEL
        tasks = TASKS[str(context.info_name)]
        with c.step_bar() as progress:
            result = train(base, data, dev, out, config, tasks=tasks, start=start, command=_command(sys.argv), report=progress)
        course = result.course
        said = asdict(result) | {"folder": str(result.folder), "tokens_per_s": round(course.tokens_per_s)}
        if json_:
            c.print_json(said)
            return
        left = f", {result.n_left_out} too long and left out" if result.n_left_out else ""
        c.out.print(
            f"{result.n_rows} rows{left}; {course.step} steps in {course.elapsed_s / 60:.1f} min, {course.tokens_per_s:.0f} tokens/s"
        )
        served = result.served
        c.out.print(f"kept step {served.step}: {result.n_dev} held-back rows, loss {served.loss:.3f}, answered exactly {served.exact:.3f}")
        for task, share in served.exact_of.items():
            c.out.print(f"  {c.safe(task)} {share:.3f}")
        c.out.print(f"adapter in {c.safe(str(result.folder))}")


def train_average(
    adapters: Annotated[list[Path], typer.Argument(help="Adapters' folders; all but the first were begun with another of them.")],
    out: Annotated[Path, typer.Option("--out", help="The mean's folder.")],
    json_: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Make the mean of adapters: what was trained on knows more, and the mean forgets less of what was known before."""
    with c.clear_errors(json_):
        from scenewise.tools.training.language.adapter import average_adapters

        average_adapters(adapters, out, _command(sys.argv))
        if json_:
            c.print_json({"adapters": len(adapters), "folder": str(out)})
        else:
            c.out.print(f"the mean of {len(adapters)} adapters is in {c.safe(str(out))}")


def train_gate(
    data: Annotated[Path, typer.Option("--data", help="Training pairs of plans, as `scenewise eval plans` makes them.")],
    out: Annotated[Path | None, typer.Option("--out", help="Where the weights go; default: into the product.")] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Fit the classifier that tells whether a message asks for items at all: a minute."""
    from scenewise.agent.gate import FILE, Gate
    from scenewise.agent.plan_neighbours import read_known
    from scenewise.tools.retrieval.encoders import default_encoders

    with c.clear_errors(json_):
        known = read_known(data)
        Gate.train(known, default_encoders(load_settings().encoder)).save(out or FILE)
        if json_:
            c.print_json({"requests": len(known), "file": str(out or FILE)})
        else:
            c.out.print(f"fitted on {len(known):,} requests")


def _command(arguments: list[str]) -> str:
    """The command without the folders of this machine."""
    return shlex.join(["scenewise", *(Path(one).name if "/" in one else one for one in arguments[1:])])
