"""Pairs from dialogues whose utterances are annotated with titles, people and genres, as ReDial's and OpenDialKG's are."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from scenewise.agent.plan_request import PlanRequest
from scenewise.agent.plan_text import plain
from scenewise.eval.plans.pair import Pair, in_order

REDIAL, OPEN_DIAL = "ReDial valid", "OpenDialKG train"
LICENCES = {REDIAL: "CC BY 4.0", OPEN_DIAL: "CC BY-NC 4.0"}
LONGEST = 160  # characters; longer utterances say more than the annotation
GENRE = (
    r"horror|comed(?:y|ies)|action|romance|romantic|thrillers?|scary|dramas?|sci-?fi|science fiction|documentar(?:y|ies)|animated|family"
    r"|fantasy|myster(?:y|ies)|crime|war|westerns?|superhero|musicals?"
)
FILLER = (
    "a|an|some|any|good|great|nice|new|more|other|few|of|for|really|something|anything|the|best|another|me|like|love|suggest|recommend|with"
    "|is|find|know|see|watch"
)
_TITLE_YEAR = re.compile(r"\s*\(\d{4}\)")
_CUE = re.compile(
    r"\b(?:looking for|recommend\w*|suggest\w*|any ideas?|in the mood for|know (?:of )?any|interested in|would like|i want"
    r"|want to (?:see|watch)|can you|could you|could use|find me|need|anything|something|similar)\b|\?\s*$|would be (?:nice|great)",
    re.IGNORECASE,
)
_DOUBT = re.compile(
    r"\b(?:not|dont|didnt|havent|never|seen|saw|watched|nothing|but|already|except|hate|no|than|instead|favou?rite|newer|newest|recent\w*|older"
    r"|oldies?|kids?|child\w*|based|lots|edge|stupid|crazy|truth|gangster|teen\w*|marathon|fan|these|it|\d0'?s|released|classic)\b|n['’]t\b",
    re.IGNORECASE,
)
_SEEN = re.compile(
    r"\W*(?:i think )?i(?:'ve| have)? (?:already )?seen (?:that|it|them|those|both)(?: one| already| all)?\W*", re.IGNORECASE
)
_LIKED = re.compile(
    r"\W*(?:yes,? |well,? |hi,? |hey,? )?i (?:really |also |absolutely )*(like|liked|love|loved|enjoyed|hated)\W*(?:and)?\W*", re.IGNORECASE
)
_TASTE = re.compile(r"\b(?:i|we) (?:\w+ )?(?:like|love|enjoy)|\b(?:loved|liked|enjoyed)\b")
_PHRASE = re.compile(
    rf"(?:^|\b({FILLER}|[\w']*)\s+|\W)((?:{GENRE})(?: movies?| films?| flicks?)?)"
    r"(?=\W*$|\s*[.,!?]|\s+(?:like|please|to watch|similar|suggestions?|recommendations?|maybe)\b)",
    re.IGNORECASE,
)


def dialogues(path: Path, people: frozenset[str], source: str) -> Iterator[Pair]:
    """Read a file of dialogues; `people` are names, casefolded."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            if plan := read_utterance(row["context"][-1], row["entity"], people):
                rule = f"{source}/{plan.partition('(')[0]}"
                yield Pair(_request(row), in_order(plan), rule, source, LICENCES[source])


def read_utterance(text: str, entities: Sequence[str], people: frozenset[str]) -> str | None:
    """The plan that an utterance's annotated entities make; None where the words around them leave a doubt.

    >>> read_utterance("I am looking for comedies like Airplane! (1980)", ["Airplane! (1980)"], frozenset())
    'like(Airplane!) find(comedies; movies)'
    """
    if _SEEN.fullmatch(text):
        return "like()"
    here = [entity for entity in dict.fromkeys(entities) if entity.casefold() in text.casefold()]
    titles = [entity for entity in here if _TITLE_YEAR.search(entity)]
    named = [entity for entity in here if entity.casefold() in people]
    bare = text
    for title in titles:
        bare = bare.replace(title, " ")
    others = [entity for entity in here if entity not in titles and entity not in named and not re.fullmatch(GENRE, entity, re.IGNORECASE)]
    if len(text) > LONGEST or _DOUBT.search(bare) or any(entity.casefold() in bare.casefold() for entity in others):
        return None
    if (liked := _LIKED.fullmatch(bare)) and 1 <= len(titles) <= 2 and not named:
        verb = "dislike" if liked[1].lower() == "hated" else "like"
        return " ".join(f"save({verb} item {plain(_TITLE_YEAR.sub('', title))})" for title in titles)
    # A taste and a request at once is passed over: what of it is for good is not annotated.
    return None if _TASTE.search(bare.lower().replace("would like", "")) or not _CUE.search(bare) else _asked(bare, titles, named)


def _asked(bare: str, titles: Sequence[str], named: Sequence[str]) -> str | None:
    phrase, genres = genre_phrase(bare), len(re.findall(rf"\b(?:{GENRE})\b", bare, re.IGNORECASE))
    if genres > (phrase is not None):
        return None
    find = f" find({phrase}; movies)" if phrase else ""
    if titles:
        like = re.search(r"\b(?:like|similar to)\b", bare, re.IGNORECASE) and not named
        return f"like({'; '.join(plain(_TITLE_YEAR.sub('', title)) for title in titles[:3])}){find}" if like else None
    if named:
        return " ".join(f"graph({plain(name)})" for name in named) + find if len(named) <= 2 else None
    return find.strip() or None


def genre_phrase(text: str) -> str | None:
    """The one genre of an utterance with its noun ("horror movies"), where the word before it describes nothing."""
    match = _PHRASE.search(text)
    if match is None:
        return None
    before = (match[1] or "").lower()
    return match[2] if not before or re.fullmatch(FILLER, before) else None


def _request(row: Mapping[str, Any]) -> PlanRequest:
    said = [text for text in row["context"] if text]
    messages = tuple({"role": "user" if (len(said) - place) % 2 else "assistant", "content": text} for place, text in enumerate(said))
    before = said[-2] if len(said) > 1 else ""
    shown = [plain(_TITLE_YEAR.sub("", entity)) for entity in row["entity"] if _TITLE_YEAR.search(entity) and entity in before]
    return PlanRequest(messages, None, "", tuple(dict.fromkeys(shown))[:5])
