"""What is learned: conversations with the answer that the model should give, as the server's tokens."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError

from scenewise.prompts import load
from scenewise.store.errors import InputError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Ints = NDArray[np.int32]
END = "<|im_end|>"


class Said(BaseModel):
    """One message."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    role: str
    content: str


class Row(BaseModel):
    """One line of a data file; fields that others read are let be. `source` and `licence` go into the adapter's card."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    task: str
    messages: tuple[Said, ...]
    completion: str
    source: str = "unnamed"
    licence: str = "unnamed"


@dataclass(frozen=True, slots=True)
class Example:
    """A row as tokens: int32 (n,), the first `n_prompt` of which are given; the last is the end mark."""

    task: str
    tokens: Ints
    n_prompt: int


def read_rows(paths: Iterable[Path], tasks: Collection[str] = ()) -> Iterator[Row]:
    """Read JSON lines; only rows of these tasks, where some are named. InputError names file and line of one that cannot be read."""
    for path in paths:
        try:
            with path.open(encoding="utf-8") as lines:
                for number, line in enumerate(lines, 1):
                    if line.strip():
                        row = _row(line, path, number)
                        if not tasks or row.task in tasks:
                            yield row
        except FileNotFoundError as error:
            raise InputError(f"{path} does not exist") from error
        except UnicodeDecodeError as error:
            raise InputError(f"{path} is no UTF-8 text") from error


def _row(line: str, path: Path, number: int) -> Row:
    try:
        row = Row.model_validate(json.loads(line))
    except (ValidationError, json.JSONDecodeError) as error:
        raise InputError(f"{path.name}, line {number}: no row with task, messages and completion") from error
    if not row.messages or not row.completion.strip():
        raise InputError(f"{path.name}, line {number}: messages or completion are empty")
    return row


def encode(rows: Sequence[Row], tokenizer: PreTrainedTokenizerBase) -> list[Example]:
    """Make the tokens that the server makes of these messages with our chat template, and those of the completion with the end mark."""
    template = load("chatml_tools").path.read_text(encoding="utf-8")
    prompts = [
        str(
            tokenizer.apply_chat_template(
                [said.model_dump() for said in row.messages], chat_template=template, add_generation_prompt=True, tokenize=False
            )
        )
        for row in rows
    ]
    if not rows:
        return []
    given = tokenizer(prompts, add_special_tokens=False)["input_ids"]
    told = tokenizer([row.completion + END for row in rows], add_special_tokens=False)["input_ids"]
    return [
        Example(row.task, np.asarray([*before, *after], dtype=np.int32), len(before))
        for row, before, after in zip(rows, given, told, strict=True)
    ]


def shared_prefixes(examples: Iterable[Example]) -> dict[str, int]:
    """Return for each task how many first tokens all its prompts share: at least one token of a prompt stays outside."""
    shared: dict[str, Ints] = {}
    for one in examples:
        prompt = one.tokens[: one.n_prompt - 1]
        before = shared.get(one.task, prompt)
        n = min(len(before), len(prompt))
        differ = np.flatnonzero(before[:n] != prompt[:n])
        shared[one.task] = before[: differ[0] if len(differ) else n]
    return {task: len(tokens) for task, tokens in shared.items()}
