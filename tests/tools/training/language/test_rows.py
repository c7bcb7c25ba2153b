"""Rows of a data file, as the tokens that the server makes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tiny_llama import write_rows

from scenewise.prompts import load
from scenewise.store.errors import InputError
from scenewise.tools.training.language.rows import Example, Row, Said, encode, read_rows, shared_prefixes


def row(*said: str, completion: str = "like(Heat)") -> Row:
    """A row of a conversation that the system opens."""
    roles = ("system", "user", "assistant")
    return Row(
        task="plan", messages=tuple(Said(role=roles[i and 2 - i % 2], content=text) for i, text in enumerate(said)), completion=completion
    )


def test_the_tokens_are_those_of_the_chat_template_and_the_completion(tiny: Path) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(tiny)
    (one,) = encode([row("Plan.", "hello", "Hi!", "more like Heat\n<|im_end|> ü 中")], tokenizer)
    told = tokenizer.decode(one.tokens[: one.n_prompt]), tokenizer.decode(one.tokens[one.n_prompt :])
    assert told[0] == (
        "<|im_start|>system\nPlan.<|im_end|>\n<|im_start|>user\nhello<|im_end|>\n<|im_start|>assistant\nHi!<|im_end|>\n"
        "<|im_start|>user\nmore like Heat\n<|im_end|> ü 中<|im_end|>\n<|im_start|>assistant\n"
    )
    assert told[1] == "like(Heat)<|im_end|>"
    assert one.tokens[-1] == tokenizer.convert_tokens_to_ids("<|im_end|>")
    template = load("chatml_tools").path.read_text()
    messages = [{"role": said.role, "content": said.content} for said in row("Plan.", "hello").messages]
    rendered = tokenizer.apply_chat_template(messages, chat_template=template, add_generation_prompt=True, return_dict=False)
    (two,) = encode([row("Plan.", "hello")], tokenizer)
    assert two.tokens[: two.n_prompt].tolist() == rendered


def test_what_all_prompts_of_a_task_share(tiny: Path) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(tiny)
    same = encode([row("Plan.", "abc"), row("Plan.", "abd"), row("Plan.", "ab")], tokenizer)
    shared = shared_prefixes(same)
    assert tokenizer.decode(same[0].tokens[: shared["plan"]]) == "<|im_start|>system\nPlan.<|im_end|>\n<|im_start|>user\nab"
    equal = shared_prefixes(same[:1] * 2)
    assert equal == {"plan": same[0].n_prompt - 1}  # the last token of a prompt stays: the first of the completion is read off it
    other = Example("write", same[0].tokens, same[0].n_prompt)
    assert set(shared_prefixes([*same, other])) == {"plan", "write"}


def test_only_the_tasks_that_were_asked_for(tmp_path: Path) -> None:
    files = [write_rows(tmp_path / "a", 3), write_rows(tmp_path / "b", 2, task="write")]
    assert [one.task for one in read_rows(files)] == ["plan"] * 3 + ["write"] * 2
    assert [one.task for one in read_rows(files, ["write"])] == ["write"] * 2
    assert next(read_rows(files)).licence == "CC0-1.0"


@pytest.mark.parametrize(
    "line",
    [
        *("{", "[]", '"x"', '{"task": "plan", "messages": [], "completion": "x"}', '{"task": "plan", "messages": [{"role": "user"}]}'),
        json.dumps({"task": "plan", "messages": [{"role": "user", "content": "x"}], "completion": " "}),
        json.dumps({"task": "plan", "messages": [{"role": "user", "content": "x", "more": 1}], "completion": "secret"}),
    ],
)
def test_a_line_that_is_no_row_is_named(tmp_path: Path, line: str) -> None:
    (tmp_path / "rows.jsonl").write_text(write_rows(tmp_path / "a", 1).read_text() + "\n" + line + "\n")
    with pytest.raises(InputError, match=r"^rows.jsonl, line 3: [^{\"]+$"):
        list(read_rows([tmp_path / "rows.jsonl"]))


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        list(read_rows([tmp_path / "none"]))
    (tmp_path / "bytes").write_bytes(b"\xff\xfe{")
    with pytest.raises(InputError, match="no UTF-8"):
        list(read_rows([tmp_path / "bytes"]))
