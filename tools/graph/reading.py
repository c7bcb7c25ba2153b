"""Read a question in words into a pattern, by rule.

A question is a noun ("films", "books", "anything"), perhaps with what they are before it ("romantic films"), and clauses after it: by
NAME, by the ROLE of TITLE, like TITLE, about X, with NAME, from the 1990s, that fit SCENE. Where a name could end in several places the
longest that is known is taken. What cannot be read is refused with what can.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from scenewise.store.errors import InputError
from scenewise.tools.copywriter.nouns import NOUNS
from scenewise.tools.graph.build import item_node
from scenewise.tools.graph.patterns import Pattern, Step
from scenewise.tools.graph.relations import role_of
from scenewise.tools.graph.schema import load_schema

if TYPE_CHECKING:
    from scenewise.tools.graph.graph import KnowledgeGraph

SURE_TITLE = 0.8
"""Least score (0..1) of the catalogue's look-up at which a title is taken as meant."""
LONGEST = 200
CAN_ASK = (
    'Ask such as: "films by the director of Heat that fit a date night", "books about the sea", "romantic films from the 1990s", '
    '"albums like Kind of Blue".'
)
ANY_NOUNS = frozenset(["anything", "something", "things", "items", "item", "thing", "stuff"])
MAKERS = frozenset({"director", "writer", "author", "artist", "maker", "creator"})
"""Parts that a plain "creator" may stand for, where an item says no more."""
ROLES = {"actor": "star", "actress": "star", "cast": "star", "author": "writer", "maker": "creator", "artist": "creator"}
_POLITE = re.compile(
    r"^(?:please\s+|can you\s+|could you\s+)?(?:(?:show|find|give|get|list|recommend|suggest)(?:\s+me)?\s+|"
    r"i(?:'d| would)? (?:like|want)\s+|"
    r"(?:what|which)\s+(?:are\s+)?|are there\s+|is there\s+)?(?:(?:some|the|any|all|a|an)\s+)?",
    re.IGNORECASE,
)
_CLAUSE = re.compile(
    r"\s(?:(?P<role>(?:that are\s+|which are\s+)?by\s+the\s+(?:same\s+)?(?P<which>[a-z ]+?)\s+(?:of|as)\s)|"
    r"(?P<verb>(?:(?P<done>directed|written|produced|created|made|shot)\s+)?by\s)|(?P<like>(?:similar to|like)\s)|(?P<about>about\s)|"
    r"(?P<with>(?:with|starring)\s)|(?P<decade>from\s+(?:the\s+)?)|"
    r"(?P<scene>(?:(?:that|which)\s+(?:would\s+)?)?(?:fit|fits|suit|suits|fitting)\s+(?:a\s+|an\s+|the\s+|my\s+)?|for\s+(?:a\s+|an\s+|the\s+|my\s+)?))",
    re.IGNORECASE,
)


def read_question(graph: KnowledgeGraph, text: str) -> Pattern:
    """Read a question; raises InputError where it cannot be read, with what can be asked."""
    words = " ".join(text.split()).rstrip("?!. ")
    words = words[_POLITE.match(words).end() :] if len(words) <= LONGEST else ""  # type: ignore[union-attr]  # it matches nothing, too
    for pattern in _questions(graph, words):
        return pattern
    raise InputError(f"This question cannot be read from its words, or a name in it is not in the graph. {CAN_ASK}")


def _questions(graph: KnowledgeGraph, words: str) -> Iterator[Pattern]:
    cuts = [clause.start() for clause in _CLAUSE.finditer(words)]
    for cut in [*reversed(cuts), len(words)] if cuts else [len(words)]:
        head = _head(graph, words[:cut])
        if head is not None:
            for parts in _clauses(graph, words[cut:]):
                if parts or head.start is not None:
                    yield _joined(head, parts)


def _joined(head: Pattern, parts: tuple[Pattern, ...]) -> Pattern:
    """One pattern of all parts: the first with a start leads, the others must hold as well."""
    scene = next((part.scene for part in parts if part.scene is not None), None)
    led = [part for part in (*parts, head) if part.start is not None]
    if not led:
        return replace(head, scene=scene)
    return replace(led[0], domain=head.domain, scene=scene, also=tuple(replace(part, domain=None) for part in led[1:]))


def _head(graph: KnowledgeGraph, words: str) -> Pattern | None:
    """What is asked for: the noun at the end names the kind of items, what stands before it is something that they have."""
    before, _, noun = words.rpartition(" ")
    noun = noun.casefold()
    domain = _domains(graph).get(noun)
    if domain is None and noun not in ANY_NOUNS:
        return None
    if not before:
        return Pattern(domain=domain)
    has = _named(graph, (), before)
    return replace(has, domain=domain) if has is not None else None


def _domains(graph: KnowledgeGraph) -> dict[str, str]:
    found: dict[str, str] = {}
    for domain in graph.catalogue.domains:
        nouns = NOUNS[domain.casefold()].words if domain.casefold() in NOUNS else ()
        for word in (
            domain.casefold(),
            domain.casefold().removesuffix("s"),
            *nouns,
            *(f"{noun}s" for noun in nouns),
            *(f"{noun}es" for noun in nouns),
        ):
            found.setdefault(word, domain)
    return found


def _clauses(graph: KnowledgeGraph, words: str) -> Iterator[tuple[Pattern, ...]]:
    """All ways to read the clauses, the longest names first."""
    if not words:
        yield ()
        return
    clause = _CLAUSE.match(words)
    if clause is None:
        return
    read = _reader(graph, clause)
    rest = words[clause.end() :]
    cuts = [one.start() for one in _CLAUSE.finditer(rest)]
    for cut in (len(rest), *reversed(cuts)):
        part = read(rest[:cut].strip(" ,\"'“”《》"))
        if part is not None:
            for others in _clauses(graph, rest[cut:]):
                yield (part, *others)


def _reader(graph: KnowledgeGraph, clause: re.Match[str]) -> Callable[[str], Pattern | None]:
    if clause["role"]:
        return partial(_by_role, graph, clause["which"])
    if clause["verb"]:
        made = f"{clause['done'].casefold()} by" if clause["done"] else None
        relations = tuple(
            name for name, known in load_schema().relations.items() if known.verb and made in (None, known.verb, "created by")
        )
        return partial(_named, graph, relations)
    if clause["like"]:
        return partial(_like, graph)
    if clause["about"]:
        return partial(_named, graph, ("about",))
    if clause["with"]:
        return partial(_named, graph, ())
    return partial(_from, graph) if clause["decade"] else partial(_for, graph)


def _title(graph: KnowledgeGraph, name: str) -> str | None:
    found = graph.catalogue.look_up(name, 1) if name else []
    return item_node(found[0][0]) if found and found[0][1] >= SURE_TITLE else None


def _by_role(graph: KnowledgeGraph, role: str, name: str) -> Pattern | None:
    """By the ROLE of TITLE: to whoever has this part in it, and on to what else they have it in."""
    role = role.casefold()
    wanted = {role, ROLES.get(role, role)}
    relations = tuple(relation for relation in graph.relations if role_of(relation) in wanted)
    start = _title(graph, name)
    if start is None:
        return None
    if role in MAKERS and not any(graph.neighbours(start, relation) for relation in relations):
        relations = ("created_by",)
    return Pattern(start, (Step(relations), Step(tuple(dict.fromkeys((*relations, "created_by"))), "item"))) if relations else None


def _like(graph: KnowledgeGraph, name: str) -> Pattern | None:
    start = _title(graph, name)
    return Pattern(start, (Step(), Step((), "item"))) if start is not None else None


def _named(graph: KnowledgeGraph, relations: tuple[str, ...], name: str) -> Pattern | None:
    """Joined to a thing of this name by one of the relations (none: by any)."""
    known = {relation for relation in graph.relations if relation in relations} if relations else set()
    kinds = [kind for kind in graph.kinds if kind not in ("decade", "domain")]
    nodes = (graph.resolve(kind, name) for kind in (None, *kinds))
    for node in dict.fromkeys(nodes):
        if node is None or node.startswith(("decade:", "domain:")):
            continue
        met = {
            relation for relation, other, _ in graph.neighbours(node) if other.startswith("item:") and (not relations or relation in known)
        }
        if met:
            return Pattern(node, (Step(tuple(sorted(met)), "item"),))
    return None


def _from(graph: KnowledgeGraph, name: str) -> Pattern | None:
    written = re.fullmatch(r"(?:19|20)?(\d)0'?s", name.casefold())
    if written is None:
        return None
    decade = name.casefold().replace("'", "") if len(name) > 3 else f"{'19' if written[1] > '2' else '20'}{written[1]}0s"
    node = graph.resolve("decade", decade)
    return Pattern(node, (Step(("from_decade",), "item"),)) if node == f"decade:{decade}" else None


def _for(graph: KnowledgeGraph, name: str) -> Pattern | None:
    node = graph.resolve("scene", name.replace("_", " ")) or graph.resolve("scene", name.replace(" ", "_"))
    return Pattern(scene=node) if node is not None else None


def tells_more(pattern: Pattern) -> bool:
    """Whether a pattern says more than one name: several steps from a start by given relations, or a start and another condition."""
    chained = len(pattern.steps) > 1 and bool(pattern.steps[0].relations)
    return pattern.start is not None and (chained or bool(pattern.also) or pattern.scene is not None)


def describe_pattern(graph: KnowledgeGraph, pattern: Pattern) -> str:
    """Write a pattern as it was understood: "movies; Heat - directed by - any - directed by, created by - item; fits date night"."""
    parts = [pattern.domain or "items"]
    for one in (pattern, *pattern.also):
        if one.start is not None:
            words = [graph.display(one.start)]
            for step in one.steps:
                words += [", ".join(relation.replace("_", " ") for relation in step.relations) or "anything telling", step.kind or "any"]
            parts.append(" - ".join(words))
    if pattern.scene is not None:
        parts.append(f"fits {graph.display(pattern.scene)}")
    return "; ".join(parts)
