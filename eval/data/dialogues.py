"""Recommendation dialogues as UniCRS prepares them (OpenDialKG, ReDial): turns as JSON lines, and the folder of their named graph."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix

from scenewise.eval.data import movielens
from scenewise.eval.data.text import find_needed, read_json, read_text
from scenewise.eval.protocols import interactions
from scenewise.store.errors import InputError
from scenewise.tools.dialogue.domain import Context, Domain, Example

_REDIAL_RELATIONS = ("genre", "star", "director", "writer")  # the numbers in a graph that comes without relation2id
_TOLD = ("genre", "director", "star", "actor", "writer")
_MOST_TOLD = 6
_YEAR = re.compile(r"\((\d{4})\)\s*$")


def read_examples(path: Path) -> list[Example]:
    """Read turns: `dialog_id`, `context`, `entity`, `rec`, `resp` a line. InputError naming the line, NotFound.

    The same `dialog_id` in two files of a set is taken for the same conversation: OpenDialKG is split by turn.
    """
    examples = []
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            said, entities, targets = (_words(row[name]) for name in ("context", "entity", "rec"))
            context = Context(str(row["dialog_id"]), said, entities)
            examples.append(Example(context, targets, str(row.get("resp") or "")))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise InputError(
                f"{path.name}, line {number}: a turn needs dialog_id and lists of words as context, entity and rec."
            ) from error
    if not examples:
        raise InputError(f"{path.name} holds no turns.")
    return examples


def read_domain(folder: Path) -> Domain:
    """Read entity2id, item_ids, kg, id2info and, where there is one, relation2id (each .json, plain or .gz). InputError, NotFound."""
    entity2id, items, graph, info = (read_json(find_needed(folder, f"{name}.json")) for name in ("entity2id", "item_ids", "kg", "id2info"))
    try:
        relations = read_json(find_needed(folder, "relation2id.json")) if _has_relations(folder) else None
        names = [""] * (1 + max(entity2id.values()))
        for name, number in entity2id.items():
            names[number] = name
        relation_names = tuple(sorted(relations, key=relations.__getitem__)) if relations else _REDIAL_RELATIONS
        facts = np.asarray(sorted({(int(head), r, tail) for head, edges in graph.items() for r, tail in edges}), dtype=np.int64).reshape(
            -1, 3
        )
        films = {film["name"]: film for film in info.values()}
        told = [films.get(names[item], {"name": names[item]}) for item in items]
        texts, years = tuple(map(_text, told)), np.asarray([*map(_year, told)], dtype=np.float32)
        rows = np.asarray(items, dtype=np.int64)
        if (
            not len(rows)
            or min(facts[:, [0, 2]].min(initial=0), rows.min()) < 0
            or max(facts[:, [0, 2]].max(initial=0), rows.max()) >= len(names)
        ):
            raise ValueError("an entity that is not named")
        if facts[:, 1].max(initial=0) >= len(relation_names):
            raise ValueError("a relation that is not named")
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
        raise InputError(f"The folder {folder.name} does not hold a named graph: its files do not fit each other.") from error
    return Domain(tuple(names), rows, relation_names, facts[:, 0], facts[:, 1], facts[:, 2], texts, years)


def read_ratings(path: Path, folder: Path, domain: Domain) -> csr_matrix:
    """Read a movielens set over the domain's items, joined by IMDb id: csr float32 (n_users, n_items). InputError where nothing joins."""
    dataset = movielens.read(path, graph=folder)
    if dataset.graph is None or not (dataset.graph.entity_of_item >= 0).any():
        raise InputError(f"No film of {path.name} is in the graph of {folder.name}.")
    entities = np.asarray([int(name) for name in dataset.graph.entities])[dataset.graph.entity_of_item]
    rows = np.where(dataset.graph.entity_of_item >= 0, domain.row_of[entities], -1)
    known = np.flatnonzero(rows >= 0)
    join = csr_matrix((np.ones(len(known), dtype=np.float32), (known, rows[known])), shape=(len(rows), len(domain.items)))
    return csr_matrix(interactions(dataset).matrix @ join, dtype=np.float32)


def _has_relations(folder: Path) -> bool:
    return any((folder / name).is_file() for name in ("relation2id.json", "relation2id.json.gz"))


def _words(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise TypeError("not a list of words")
    return tuple(value)


def _text(film: Mapping[str, Any]) -> str:
    lists: list[Sequence[str]] = [[*dict.fromkeys(film.get(name) or ())][:_MOST_TOLD] for name in _TOLD]
    parts = [_YEAR.sub("", film["name"]).strip(), *(", ".join(one) for one in lists if one), str(film.get("plot") or "")]
    return ". ".join(part for part in parts if part)


def _year(film: Mapping[str, Any]) -> float:
    written = str(film.get("year") or "")[:4] or ((found := _YEAR.search(film["name"])) and found[1]) or ""
    return float(written) if written.isdigit() else float("nan")
