"""What is asked about items ("how long is Heat?", "who wrote the third one?"), answered with what the catalogue knows of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from scenewise.agent.record import PlannedCall, Seen
from scenewise.agent.references import meant_item
from scenewise.store.types import Item, ItemId
from scenewise.tools.copywriter.evidence import EvidenceRow, evidence_for
from scenewise.tools.copywriter.nouns import article, noun_of
from scenewise.tools.graph.build import item_node
from scenewise.tools.graph.relations import role_of
from scenewise.tools.toolbox import Toolbox

LOOK_UP = "look_up_items"
MOST, SURE = 3, 0.9
ROLES = frozenset({"director", "writer", "star", "producer", "creator"})
"""Parts that people have in an item, by the graph's names of them."""
_QUESTION = re.compile(
    r"^\W*(?:(?:and|ok|okay|so|but|hm+|well|please)\b[\s,]*)*(?:who(?:['’]s| is| was| \w+(?:ed|s|e|t))\b|"
    r"how (?:long|old|hard|much|many|difficult|expensive|big|spicy|scary|violent|good)\b|"
    r"how (?:do|can|would|should) (?:i|we|you|one) (?:make|cook|bake|prepare|do|use|play)\b|"
    r"when (?:was|is|did)\b|where (?:was|is)\b|"
    r"what(?:['’]s| is| was| year| genre| language)\b|"
    r"(?:is|are|was|does|did)\b|(?:do you have|have you got)\b|tell me (?:more )?about\b|describe\b)"
    r"|谁(?:写|拍|导|演|唱|做)|多长|多久|哪年|讲(?:的)?(?:什么|啥)|好看吗|怎么样|是什么|多少钱|难吗|介绍一下",
    re.IGNORECASE,
)
_THAT_ONE = re.compile(
    r"\b(?:that|this) (?:one|film|movie|book|album|song|recipe|dish|course|app|workout|game)\b|(?:这|那)(?:个|部|本|首|张)", re.IGNORECASE
)
_IT = re.compile(
    r"\b(?:it|that)\b.{0,12}\b(?:good|worth|long|short|old|new|hard|easy|scary|sad|funny|violent|free|about|from|by|take|cost|made|"
    r"suit\w*|for kids)\b"
    r"|^\W*(?:(?:and|ok|okay|so|but)\b[\s,]*)*(?:is|was) (?:it|that) (?!raining|snowing|sunny|cold|hot out|late|early|possible|true|time|"
    r"ok\b|okay|you\b|me\b|all\b|monday|friday|weekend)\w+(?: \w+){0,2}\W*$"
    r"|\b(?:made|wrote|directed|sings|produced|long|old|much|about) (?:is |does )?(?:it|that)\b|它",
    re.IGNORECASE,
)
_WANTS_MORE = re.compile(
    r"\b(?:like|similar|more by|another|something|anything|else|recommend|suggest|instead|other)\b|类似|推荐|还有|差不多|别的",
    re.IGNORECASE,
)


_CLAUSE = re.compile(r"[,.;!?]\s+(?:and |but |so )?|\s(?:and|but|so)\s(?=who|how|when|what|is|was|does|did)", re.IGNORECASE)


def asks_about(seen: Seen, *, by_name: bool) -> tuple[ItemId, ...]:
    """The items that rules read a question about, and no wish; none where there is no such question. They are of the last list, by place or
    as "that one"; with `by_name` also those of the catalogue that are named, and what "it" is."""
    kinds = () if seen.asked else seen.reading.domains_added | seen.reading.domains_only  # those of an earlier message ask for nothing now
    points = _THAT_ONE.search(seen.text) or (by_name and _IT.search(seen.text))
    asked = _QUESTION.search(seen.text) or (seen.referred and any(map(_QUESTION.search, _CLAUSE.split(seen.text))))
    if not asked or _WANTS_MORE.search(seen.text) or (kinds and not points and not seen.referred):
        return ()
    if seen.referred:
        return seen.referred[:MOST]
    if by_name and seen.mentioned:
        return seen.mentioned[:MOST]
    return (meant_item(seen.text, seen.memory),) if points and seen.memory.items and not seen.mentioned else ()


def looked_up(calls: Sequence[PlannedCall], box: Toolbox) -> tuple[ItemId, ...]:
    """The items that a plan asks about where it asks for nothing else and the catalogue has them all, else none."""
    planned = [call for call in calls if call.status == "planned"]
    if not planned or any(call.name != LOOK_UP for call in planned):
        return ()
    titles = [str(title) for call in planned for title in call.arguments.get("titles", ())]
    found = [box.catalogue.look_up(title, 1) for title in titles]
    sure = [matches[0][0] for matches in found if matches and matches[0][1] >= SURE]
    return tuple(dict.fromkeys(sure))[:MOST] if len(sure) == len(titles) else ()


def look_up(items: Sequence[ItemId], box: Toolbox) -> PlannedCall:
    """The call that looks items up by their titles."""
    return PlannedCall(LOOK_UP, {"titles": [box.catalogue.items[row].title[:80] for row in box.catalogue.rows(items)]}, "policy")


def tell(items: Sequence[ItemId], box: Toolbox, locale: str) -> str:
    """All that the catalogue knows of each, a line an item; what it does not say is not known."""
    write = _zh if locale.startswith("zh") else _en
    found = [box.catalogue.items[row] for row in box.catalogue.rows(items).tolist()]
    lines = [write(item, _people(item, box, "zh" if locale.startswith("zh") else "en")) for item in found]
    rest = (
        "更多的我就不知道了。"
        if locale.startswith("zh")
        else "That is all I know of it."
        if len(lines) == 1
        else "That is all I know of them."
    )
    return "\n".join([*lines, rest])


def _people(item: Item, box: Toolbox, locale: str) -> list[str]:
    """Who had a part in it, as the graph has them by name and the catalogue has not: "director Joel Coen"."""
    known = {name.casefold() for name in item.attributes.get("creator", ())}
    named: dict[str, list[str]] = {}
    for relation, node, display in box.graph.neighbours(item_node(item.item_id)):
        if role_of(relation) in ROLES and display != node.partition(":")[2] and display.casefold() not in known:
            named.setdefault(role_of(relation, locale=locale), []).append(display)
    return [f"{role} {_listed(names[:MOST])}" for role, names in named.items()]


def _en(item: Item, people: Sequence[str]) -> str:
    rows = {row.row_id: row for row in evidence_for(item)}
    noun = noun_of(item.domain).words[0]
    thing = f"{rows['year'].text} {noun}" if "year" in rows else noun
    by = f" by {_listed(rows['creator'].values)}" if "creator" in rows else ""
    facts = [*people, *_facts(rows)]
    known = f"; {'; '.join(facts)}" if facts else ""
    said = " ".join(row.text for name, row in rows.items() if name.startswith("text."))
    return f"{rows['title'].text if 'title' in rows else item.item_id}: {article(thing)} {thing}{by}{known}. {said}".strip()


def _facts(rows: dict[str, EvidenceRow]) -> Iterator[str]:
    for name, row in rows.items():
        if name in ("title", "domain", "year", "creator") or name.startswith("text."):
            continue
        yield (
            row.text
            if name in ("genre", "mood", "duration", "price")
            else f"{'about' if name == 'topic' else name.replace('_', ' ')} {row.text}"
        )


def _zh(item: Item, people: Sequence[str]) -> str:
    rows = {row.row_id: row for row in evidence_for(item)}
    noun = noun_of(item.domain)
    thing = f"{rows['year'].text}年的{noun.zh[0]}" if "year" in rows else noun.zh[0]
    parts = [thing, f"出自{'、'.join(rows['creator'].values)}" if "creator" in rows else ""]
    parts += people
    parts += [row.text for name, row in rows.items() if name in ("genre", "mood", "topic", "duration", "price")]
    return f"《{rows['title'].text if 'title' in rows else item.item_id}》：{'，'.join(part for part in parts if part)}。"


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
