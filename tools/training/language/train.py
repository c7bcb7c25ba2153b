"""Train an adapter from files to files: what `scenewise train language` does."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from scenewise.store.errors import InputError
from scenewise.tools.training.language.adapter import read_card, read_weights, write_adapter, write_card
from scenewise.tools.training.language.config import LanguageConfig
from scenewise.tools.training.language.network import Network
from scenewise.tools.training.language.rows import Example, encode, read_rows, shared_prefixes
from scenewise.tools.training.language.states import States
from scenewise.tools.training.language.training import Course, Look, Report, Training


@dataclass(frozen=True)
class Learned:
    """What came of a training; `n_left_out`: rows that were too long; `served`: the kept state on held-back rows in float32."""

    folder: Path
    n_rows: int
    n_dev: int
    n_left_out: int
    course: Course
    served: Look


def train_language(
    base: Path,
    files: Sequence[Path],
    dev: Sequence[Path],
    folder: Path,
    config: LanguageConfig,
    *,
    tasks: Sequence[str] = (),
    start: Path | None = None,
    command: str = "",
    report: Report = lambda what, done, total: None,
) -> Learned:
    """Train on the rows of `files` of these tasks (all where none is named) and write the adapter to `folder`.

    It begins with the weights of the adapter `start`, else with LoRA's own. `folder`.training beside it holds what a training that was
    killed goes on from; it is removed at the end. InputError where the base, `start`, the files or their rows are not to be had.
    """
    from transformers import AutoTokenizer

    report("reading rows", 0, 1)
    rows, held = list(read_rows(files, tasks)), list(read_rows(dev, tasks))
    if not rows or not held:
        raise InputError("there are no rows to learn from, or none to look at: see the files' `task` fields")
    network = Network(base, config)
    before = {} if start is None else read_weights(start)
    if start is not None:
        network.learn(before)
    tokenizer = AutoTokenizer.from_pretrained(base, local_files_only=True)
    held = [held[row] for row in _some(len(held), config)]
    kept = [(row, one) for row, one in zip(rows, encode(rows, tokenizer), strict=True) if len(one.tokens) <= config.longest]
    looked = [one for one in encode(held, tokenizer) if len(one.tokens) <= config.longest]
    if not kept or not looked:
        raise InputError(f"all rows are longer than {config.longest} tokens")
    report("reading rows", 1, 1)
    examples = [one for _, one in kept]
    prefixes = shared_prefixes([*examples, *looked])
    work = folder.with_name(folder.name + ".training")
    below = [_digest_base(base), network.n_frozen, str(network.dtype), prefixes]
    training = Training(
        network,
        States(work / "rows", examples, network, prefixes=prefixes, mark=_mark(examples, *below)),
        States(work / "dev", looked, network, prefixes=prefixes, mark=_mark(looked, *below)),
        config,
    )
    course = training.run(work / "checkpoint.safetensors", _mark(examples, *below, config.learns_alike(), *_digests(before)), report)
    served = _as_served(base, network.learned(), looked, config, prefixes, work / "served", course.best_step)
    learned = Learned(folder, len(kept), len(looked), len(rows) - len(kept) + len(held) - len(looked), course, served)
    card = write_card([row for row, _ in kept], config, _figures(learned), command, before="" if start is None else read_card(start))
    write_adapter(folder, network.learned(), config, n_layers=len(network.model.model.layers), card=card)
    shutil.rmtree(work)
    return learned


def _as_served(
    base: Path, learned: dict[str, Tensor], looked: list[Example], config: LanguageConfig, prefixes: dict[str, int], work: Path, step: int
) -> Look:
    """Measure in float32 with the adapter's float16 weights, as the model is served; the looks on the way may be in bfloat16."""
    whole = config.model_copy(update={"precision": "float32"})
    network = Network(base, whole)
    network.learn({name: one.to(torch.float16) for name, one in learned.items()})
    states = States(work, looked, network, prefixes=prefixes, mark=_mark(looked, network.n_frozen, prefixes))
    training = Training(network, states, states, whole)
    training.course.step = step
    return training.look()


def _figures(learned: Learned) -> dict[str, object]:
    course, served = learned.course, learned.served
    return {
        "rows learned from": learned.n_rows,
        "held-back rows": learned.n_dev,
        "held-back loss, nats a token": served.loss,
        "held-back rows answered exactly": served.exact,
        **{f"of these, {task}": share for task, share in served.exact_of.items()},
        "step of the kept look": f"{course.best_step} of {course.step}",
        "minutes": round(course.elapsed_s / 60, 1),
        "tokens a second": round(course.tokens_per_s),
    }


def _some(n: int, config: LanguageConfig) -> list[int]:
    """At most dev_rows of n row numbers, in order."""
    chosen = np.random.default_rng(config.seed).permutation(n)[: config.dev_rows]
    return [int(row) for row in np.sort(chosen)]


def _mark(examples: Sequence[Example], *of: object) -> str:
    found = hashlib.sha256(json.dumps(of, sort_keys=True).encode())
    for one in examples:
        found.update(f"{one.task} {one.n_prompt} {len(one.tokens)} ".encode() + one.tokens.tobytes())
    return found.hexdigest()


def _digests(weights: dict[str, Tensor]) -> list[str]:
    return [hashlib.sha256(weights[name].cpu().numpy().tobytes()).hexdigest() for name in sorted(weights)]


def _digest_base(base: Path) -> str:
    with (base / "model.safetensors").open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
