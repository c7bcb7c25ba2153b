"""An LLM writes what a text states as JSON under a grammar made from the schema. For models of some billion parameters."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from scenewise.prompts import load
from scenewise.tools.graph.extraction.claims import MAX_EVIDENCE, MAX_VALUE, Claim, Extraction, Text
from scenewise.tools.graph.extraction.reader import Answer, Ask, Reader
from scenewise.tools.graph.extraction.spans import windows
from scenewise.tools.graph.schema import Schema

MAX_EDGES = 12
MAX_ANSWER = 20_000
_TOKENS = 400


def grammar(relations: Sequence[str]) -> dict[str, Any]:
    """Make the JSON schema of an answer: at most MAX_EDGES edges, the relation out of these, the strings bounded."""
    edge = {
        "type": "object",
        "properties": {
            "evidence": {"type": "string", "minLength": 1, "maxLength": MAX_EVIDENCE // 2},
            "relation": {"type": "string", "enum": list(relations)},
            "value": {"type": "string", "minLength": 1, "maxLength": MAX_VALUE},
        },
        "required": ["evidence", "relation", "value"],
        "additionalProperties": False,
    }
    edges = {"type": "array", "maxItems": MAX_EDGES, "items": edge}
    return {"type": "object", "properties": {"edges": edges}, "required": ["edges"], "additionalProperties": False}


class WritingExtractor:
    """Asks once a window of the text; the part of the prompt that all questions share comes first, so that the server keeps it."""

    def __init__(self, reader: Reader, schema: Schema) -> None:
        self._reader, self._schema = reader, schema
        self.name = f"{reader.name}@{load('extract').tag}"

    def extract(self, texts: Sequence[Text]) -> list[Extraction]:
        """Read texts; a text with a window that failed has failed, whatever its other windows gave. Raises ModelError."""
        asks, whose = [], []
        for number, text in enumerate(texts):
            for window in windows(text.words):
                asks.append(self._ask(text, window))
                whose.append(number)
        answers = self._reader.answer(asks) if asks else []
        answers = [*answers, *(Answer(error="no answer") for _ in range(len(asks) - len(answers)))]
        parts: list[list[Answer]] = [[] for _ in texts]
        for number, answer in zip(whose, answers, strict=False):
            parts[number].append(answer)
        return [self._read(text, part) for text, part in zip(texts, parts, strict=True)]

    def _ask(self, text: Text, window: str) -> Ask:
        allowed = self._schema.from_texts(text.domain)
        lines = "\n".join(f"- {name}: {self._schema.relations[name].asks or name.replace('_', ' ')}" for name in allowed)
        messages = load("extract").messages(question=f"{lines}\n<data>\n{window}\n</data>")
        return Ask(messages, grammar=grammar(list(allowed)), max_tokens=_TOKENS)

    def _read(self, text: Text, answers: Sequence[Answer]) -> Extraction:
        kinds = self._schema.from_texts(text.domain)
        claims = [
            Claim(
                str(edge.get("relation")),
                kinds.get(str(edge.get("relation")), ""),
                _text(edge, "value"),
                _text(edge, "evidence"),
                answer.certainty,
            )
            for answer in answers
            for edge in read_edges(answer.text)
        ]
        error = next((answer.error for answer in answers if answer.error), "")
        return Extraction(tuple(claims), sum(a.tokens_in for a in answers), sum(a.tokens_out for a in answers), error)


def _text(edge: Mapping[str, Any], key: str) -> str:
    value = edge.get(key)
    return value if isinstance(value, str) else ""


def read_edges(answer: str) -> Iterator[Mapping[str, Any]]:
    """Take the whole edges out of an answer that may be cut off or no JSON at all.

    >>> list(read_edges('{"edges":[{"relation":"about","value":"war"},{"relat'))
    [{'relation': 'about', 'value': 'war'}]
    """
    decoder, answer = json.JSONDecoder(), answer[:MAX_ANSWER]
    position = 0
    while match := re.compile(r"\{(?=\s*\"(?:evidence|relation|value)\")").search(answer, position):
        try:
            found, position = decoder.raw_decode(answer, match.start())
        except (ValueError, RecursionError):
            position = match.end()
            continue
        if isinstance(found, dict):
            yield found
