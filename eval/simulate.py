"""Whole conversations between simulated users and a recommender: is the target found within five turns, and how does it go?

The catalogue is that of a dialogue set's named graph; targets are what was recommended in its dialogues and not named before. The same
users talk to the agent, to a list by popularity and to a list by chance, neither of which listens.
"""

from __future__ import annotations

import random
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from scenewise.agent.agent import Agent
from scenewise.agent.model import VllmModel, is_local
from scenewise.agent.record import Turn
from scenewise.eval.data.text import find_needed, read_json
from scenewise.eval.metrics import paired_bootstrap
from scenewise.eval.simulators import Attributes, Patience, Simulator, genre_word, says_title, telling
from scenewise.eval.turns import own_ms, problems
from scenewise.store.errors import InputError, ScenewiseError
from scenewise.store.store import Store
from scenewise.store.types import Event, Item, ItemId, UserId
from scenewise.tools.dialogue.domain import KINDS, PEOPLE, Context, Domain, Example

Progress = Callable[[int, int | None], None]
TURNS = 5
SIMULATORS = ("attributes", "patience")
_NAMES = {"actor": "star"}  # what the graph calls it, and what a store does
_YEAR = re.compile(r"\s*\((\d{4})\)\s*$")
_YEAR_S = 365 * 86_400.0
_RESAMPLES = 2_000


@dataclass(frozen=True, slots=True)
class Case:
    """Who is simulated: a dialogue's context, the item that was recommended next, and the names of the context with their kinds."""

    context: Context
    target: Item
    named: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a recommender shows; `turn` where it is the agent's."""

    items: tuple[ItemId, ...]
    text: str = ""
    turn: Turn | None = None
    error: str = ""


Ask = Callable[[str], Answer]
System = Callable[[random.Random], Ask]  # begins a conversation


@dataclass(frozen=True, slots=True)
class Talk:
    """One conversation: what was said and shown, the turn at which the target was shown (0: never), whether the user left."""

    case: Case
    lines: tuple[tuple[str, Answer], ...]
    found: int
    left: bool


def read_items(domain: Domain, folder: Path) -> list[Item]:
    """The domain's items with attributes, year and plot, in its order; a book is what has a writer, and neither director nor actor."""
    plots = {film["name"]: str(film.get("plot") or "") for film in read_json(find_needed(folder, "id2info.json")).values()}
    held: list[dict[str, list[str]]] = [{} for _ in domain.items]
    for head, relation, tail in zip(domain.heads, domain.relations, domain.tails, strict=True):
        name = _NAMES.get(domain.relation_names[relation], domain.relation_names[relation])
        if domain.row_of[head] >= 0 and name != "year":
            held[domain.row_of[head]].setdefault(name, []).append(domain.names[tail])
    items = []
    for number, attributes, year in zip(domain.items, held, domain.years, strict=True):
        name = domain.names[number]
        kind = "books" if "writer" in attributes and not {"director", "star"} & attributes.keys() else "movies"
        values = {key: tuple(dict.fromkeys(values)) for key, values in attributes.items()}
        items.append(
            Item(ItemId(str(number)), kind, _YEAR.sub("", name), plots.get(name, ""), values, None if np.isnan(year) else int(year))
        )
    return items


def choices_of(domain: Domain, dialogues: Sequence[Example]) -> csr_matrix:
    """What each dialogue names or recommends, as behaviour: csr float32 (n_dialogues, n_items), ones."""
    rows: dict[str, set[int]] = {}
    for example in dialogues:
        rows.setdefault(example.context.dialogue, set()).update(domain.rows([*example.context.entities, *example.targets]))
    pairs = np.asarray([(user, row) for user, found in enumerate(rows.values()) for row in sorted(found)], dtype=np.int64).reshape(-1, 2)
    return csr_matrix((np.ones(len(pairs), dtype=np.float32), pairs.T), shape=(len(rows), len(domain.items)))


def build_store(path: Path, items: Sequence[Item], choices: csr_matrix | None, now_s: float) -> None:
    """Write a store of the items, and of what users chose in the year before `now_s`; the graph is that of the items' attributes."""
    with Store.open(path, create=True, purpose="simulate") as store:
        store.items.upsert(items)
        if choices is not None:
            users, rows = choices.nonzero()
            times_s = now_s - _YEAR_S * np.linspace(1.0, 0.01, len(users))
            store.events.add(
                Event(UserId(f"u{user}"), items[row].item_id, "like", None, float(time_s))
                for user, row, time_s in zip(users, rows, times_s, strict=True)
            )


def draw_cases(domain: Domain, items: Sequence[Item], examples: Sequence[Example], n: int, seed: int) -> list[Case]:
    """One case of each of n dialogues, drawn by seed; targets that the context names are left out. InputError where there are none."""
    rng = random.Random(seed)
    people, kinds = ({domain.names[t] for t in _tails(domain, names)} for names in (PEOPLE, KINDS))
    by_dialogue: dict[str, list[tuple[Example, int]]] = {}
    for example in examples:
        known = {*domain.rows(example.context.entities)}
        new = [row for row in domain.rows(example.targets) if row not in known]
        by_dialogue.setdefault(example.context.dialogue, []).extend((example, row) for row in new)
    dialogues = [name for name, found in by_dialogue.items() if found]
    if not dialogues:
        raise InputError("No dialogue recommends an item of the graph that it has not named before.")
    cases = []
    for name in rng.sample(dialogues, min(n, len(dialogues))):
        example, row = rng.choice(by_dialogue[name])
        named: list[tuple[str, str]] = []
        for entity in example.context.entities:
            if rows := domain.rows([entity]):
                named.append(("item", items[rows[0]].title))
            elif entity in people or entity in kinds:
                named.append(("person" if entity in people else "genre", entity))
        cases.append(Case(example.context, items[row], tuple(named)))
    return cases


def _tails(domain: Domain, names: frozenset[str]) -> NDArray[np.int64]:
    wanted = [place for place, name in enumerate(domain.relation_names) if name in names]
    return np.unique(domain.tails[np.isin(domain.relations, wanted)])


def agent_system(agent: Agent, k: int) -> System:
    """The product, anonymous, in no particular moment."""

    def begin(_rng: random.Random) -> Ask:
        conversation: list[str | None] = [None]

        def ask(message: str) -> Answer:
            try:
                turn = agent.turn(message, conversation_id=conversation[0], k=k)
            except ScenewiseError as error:
                return Answer((), error=type(error).__name__)
            conversation[0] = turn.conversation_id
            return Answer(tuple(item.item_id for item in turn.items), turn.reply, turn)

        return ask

    return begin


def list_system(order: Callable[[random.Random], Sequence[ItemId]], k: int) -> System:
    """Shows the next k of an order each turn, whatever is said."""

    def begin(rng: random.Random) -> Ask:
        left = iter(order(rng))
        return lambda _message: Answer(tuple(islice(left, k)))

    return begin


def talk(case: Case, user: Simulator, ask: Ask, items: Mapping[ItemId, Item]) -> Talk:
    """Hold a conversation of five turns at most; it ends when the target is shown or the user leaves."""
    lines: list[tuple[str, Answer]] = []
    shown: list[Item] = []
    for number in range(1, TURNS + 1):
        said = user.say(shown)
        if said is None:
            return Talk(case, tuple(lines), 0, left=True)
        answer = ask(said)
        lines.append((said, answer))
        if case.target.item_id in answer.items:
            return Talk(case, tuple(lines), number, left=False)
        shown = [items[item_id] for item_id in answer.items if item_id in items]
    return Talk(case, tuple(lines), 0, left=False)


def run(
    cases: Sequence[Case],
    items: Sequence[Item],
    systems: Mapping[str, System],
    *,
    seed: int = 0,
    progress: Progress = lambda done, total: None,
) -> tuple[dict[str, Any], dict[str, list[Talk]]]:
    """Let every simulator of every case talk to every system: the figures, ready for JSON, and the conversations by "system, simulator"."""
    by_id, talks = {item.item_id: item for item in items}, dict[str, list[Talk]]()
    total = len(cases) * len(SIMULATORS) * len(systems)
    for name, system in systems.items():
        for make in SIMULATORS:
            held = talks.setdefault(f"{name}, {make}", [])
            for number, case in enumerate(cases):
                rng = random.Random(f"{seed} {make} {number}")
                user = Attributes(case.target, rng) if make == "attributes" else Patience(case.context, case.named, rng)
                held.append(talk(case, user, system(random.Random(f"{seed} {number}")), by_id))
                progress(sum(map(len, talks.values())), total)
    found = {key: _summary(held) for key, held in talks.items()}
    success = {key: found[key][f"success@{TURNS}"][0] for key in found}
    spread = {name: abs(success[f"{name}, attributes"] - success[f"{name}, patience"]) for name in systems}
    kind = {name: max(SIMULATORS, key=lambda one: success[f"{name}, {one}"]) for name in systems}
    gains = {
        f"{key} over {other}": _gain(talks[f"agent, {key}"], talks[f"{other}, {key}"])
        for key in SIMULATORS
        for other in systems
        if other != "agent" and "agent" in systems
    }
    figures = {
        "conversations": len(cases),
        "turns": TURNS,
        "seed": seed,
        "found": found,
        f"success@{TURNS}_gain": gains,
        "spread": {name: round(value, 4) for name, value in spread.items()},
        "kind_simulator": kind,
        "agent": _told(talks, by_id),
    }
    return figures, talks


def _summary(talks: Sequence[Talk]) -> dict[str, Any]:
    """What came of the conversations of one simulator with one system; intervals are over conversations."""
    found = np.asarray([one.found for one in talks])
    told: dict[str, Any] = {f"success@{t}": _mean_95((found > 0) & (found <= t)) for t in range(1, TURNS + 1)}
    said = [(one.case.target.title, message) for one in talks for message, _ in one.lines]
    return told | {
        "mean_turns": _mean_95(np.asarray([len(one.lines) for one in talks])),
        "left": round(float(np.mean([one.left for one in talks])), 4),
        "leak": {
            "whole_title": round(float(np.mean([any(says_title(m, one.case.target.title) for m, _ in one.lines) for one in talks])), 4),
            "a_word_of_it": round(float(np.mean([bool(telling(message) & telling(title)) for title, message in said])), 4),
        },
        "facts_of_the_target_said": round(float(np.mean([_facts_said(one) for one in talks])), 2),
        "turns_without_a_list": round(float(np.mean([not answer.items for one in talks for _, answer in one.lines])), 4),
        "items_shown_again": round(float(np.mean([_again(one) for one in talks])), 4),
    }


def _mean_95(values: NDArray[Any]) -> list[float]:
    numbers = values.astype(np.float64)
    interval = paired_bootstrap(numbers, np.zeros_like(numbers), n_resamples=_RESAMPLES)
    return [round(interval.mean, 4), round(interval.low, 4), round(interval.high, 4)]


def _gain(ours: Sequence[Talk], theirs: Sequence[Talk]) -> dict[str, float]:
    a, b = (np.asarray([one.found > 0 for one in talks], dtype=np.float64) for talks in (ours, theirs))
    gain = paired_bootstrap(a, b, n_resamples=_RESAMPLES)
    return {"mean": round(gain.mean, 4), "low": round(gain.low, 4), "high": round(gain.high, 4), "p": round(gain.p, 4)}


def _facts_said(one: Talk) -> int:
    """How many of the target's attribute values, its decade among them, the user named."""
    words = " ".join(message.casefold() for message, _ in one.lines)
    target = one.case.target
    values = {genre_word(value) for name in ("genre", "director", "star", "writer") for value in target.attributes.get(name, ())}
    decade = {f"{target.year // 10 * 10}s"} if target.year else set()
    return sum(bool(re.search(rf"\b{re.escape(value)}\b", words)) for value in values | decade)


def _again(one: Talk) -> float:
    shown = [item for _, answer in one.lines for item in answer.items]
    return 1.0 - len({*shown}) / len(shown) if shown else 0.0


def _told(talks: Mapping[str, Sequence[Talk]], items: Mapping[ItemId, Item]) -> dict[str, Any]:
    """The agent's side: what must never happen, errors, own time, and what the LLM was asked."""
    answers = [answer for key, held in talks.items() if key.startswith("agent,") for one in held for _, answer in one.lines]
    turns = [answer.turn for answer in answers if answer.turn is not None]
    if not turns:
        return {"turns": 0, "errors": dict(Counter(answer.error for answer in answers))}
    known, titles = {*items}, {item.title for item in items.values()}
    outside = sum(any(item.item_id not in known for item in turn.items) or any(_strange(turn.reply, titles)) for turn in turns)
    own = np.percentile([own_ms(turn) for turn in turns], [50, 95])
    return {
        "turns": len(turns),
        "out_of_catalogue_rate": outside / len(turns),
        "failures": dict(Counter(problem for turn in turns for problem in problems(turn, known))),
        "errors": dict(Counter(answer.error for answer in answers if answer.error)),
        "degraded": dict(Counter(why for turn in turns for why in turn.degraded)),
        "intents": dict(Counter(turn.intent for turn in turns).most_common()),
        "own_ms": {"p50": round(float(own[0]), 1), "p95": round(float(own[1]), 1)},
        "llm": {
            "model": turns[0].model,
            "rounds_mean": round(float(np.mean([turn.llm_rounds for turn in turns])), 2),
            "completion_tokens_mean": round(float(np.mean([turn.completion_tokens for turn in turns])), 1),
            "whole_turn_ms": [round(float(q), 1) for q in np.percentile([turn.timings_ms["total"] for turn in turns], [50, 95])],
        },
    }


def _strange(reply: str, titles: set[str]) -> Iterator[str]:
    """Numbered lines of a reply that begin with no title of the catalogue."""
    for line in re.findall(r"^\d+\. (.+)$", reply, flags=re.MULTILINE):
        if not any(line[: place.start()] in titles for place in re.finditer(": ", line)):
            yield line


def server_counts(model: object) -> dict[str, float]:
    """Prompt tokens and prefix-cache queries and hits that a vLLM has counted so far; empty where it does not say."""
    if not isinstance(model, VllmModel):
        return {}
    try:
        url = re.sub(r"/v1/?$", "/metrics", model.url)
        text = httpx.get(url, timeout=5.0, trust_env=not is_local(url)).raise_for_status().text
    except httpx.HTTPError:
        return {}
    names = ("prompt_tokens_total", "prefix_cache_queries_total", "prefix_cache_hits_total")
    rows = [(name, float(value)) for name, value in re.findall(r"^vllm:(\w+)(?:\{.*\})? (\S+)$", text, re.MULTILINE) if name in names]
    return {name: sum(value for one, value in rows if one == name) for name in dict(rows)}


def write_talks(path: Path, talks: Mapping[str, Sequence[Talk]], items: Mapping[ItemId, Item], n: int) -> None:
    """Write the first n conversations of each kind as plain text, to be read."""
    lines: list[str] = []
    for key, held in talks.items():
        for one in held[:n]:
            target = one.case.target
            lines.append(
                f"\n=== {key}: {target.title} ({target.year}; {', '.join(target.attributes.get('genre', ()))}), found at {one.found}"
            )
            for message, answer in one.lines:
                lines.append(f"user> {message}")
                lines += [f"  {line}" for line in answer.text.splitlines()] or [f"  {items[item].title}" for item in answer.items]
            lines += ["user leaves"] * one.left
    path.write_text("\n".join(lines) + f"\n\nwritten {time.strftime('%Y-%m-%d')}\n", encoding="utf-8")
