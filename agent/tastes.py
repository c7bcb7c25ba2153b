"""What a message states of its author's tastes, clause by clause, as calls of update_profile."""

from __future__ import annotations

import re
from collections.abc import Iterator

from scenewise.agent.record import PlannedCall, Seen
from scenewise.store.types import ItemId
from scenewise.tools.catalogue.concepts import constraints_from_text
from scenewise.tools.toolbox import Toolbox

MOST = 6
NO_TASTES = frozenset(
    """love like hate film films movie movies book books music album albums song songs game games app apps""".split()  # noqa: SIM905
)
"""Values that are words of the statement itself ("I love films about ...") and so no tastes."""
_DISLIKES = r"hate|dislike|cannot stand|can.t stand|don.t (?:really )?(?:like|enjoy)|do not (?:like|enjoy)"
_LIKES = r"love|adore|like|enjoy|prefer"
_CLAUSE = re.compile(rf"[.;,!。；，！]|\bbut\b|但是?|\band (?=(?:i |we )?(?:{_DISLIKES}|{_LIKES})\b)", re.IGNORECASE)
_DISLIKE = re.compile(rf"\b(?:{_DISLIKES})\b|讨厌|不喜欢|不爱", re.IGNORECASE)
_LIKE = re.compile(rf"\b(?:{_LIKES})\b|喜欢|爱", re.IGNORECASE)
_QUOTE = re.compile(r"[\"“«「《][^\"”»」》]{0,200}[\"”»」》]")
_SENTENCE = re.compile(r"[.;!?\n。；！？]+(?=\s|$)|[。；！？]")
_OWN = re.compile(r"\b(?:i|im|ive|me|my|mine|we|our|us)\b|\bi['’]|我|咱|本人", re.IGNORECASE)
_SAID_WITHOUT_I = re.compile(
    r"^\W*(?:(?:honestly|frankly|tbh|well|ok|okay|so|btw|and|but|also|really|absolutely|just|sorry)\b[,\s]*)*"
    r"(?:never (?:really )?(?:liked|enjoyed|cared|been)\b|(?:(?:big|huge|massive|great|lifelong|not a|no|never a) )+[\w' -]{0,40}\bfan\b|"
    r"not (?:really )?into\b|(?:can.?t|cannot) (?:really )?(?:stand|bear|get enough)\b|don.?t (?:really )?like\b|detest|dislike|adored?\b|"
    r"obsessed with\b|hate (?!crimes?\b|speech\b|mail\b)|(?:loved|hated|disliked|enjoyed) (?!by\b)|"
    r"love (?=(?:it|this|that|him|her|them)\b))"
    r"|^\W*(?:其实|真的|特别|超级?|最|一直|从来|就是|真|非常|很)*(?:不喜欢|不爱|讨厌|喜欢|爱(?!情)|受不了|偏爱|不吃)|^\W*对.{1,12}过敏",
    re.IGNORECASE,
)
_AGAINST_WORDS = (
    rf"{_DISLIKES}|hated|disliked|detest|never (?:really )?(?:liked|enjoyed|cared)|never been (?:a fan|into)|"
    r"did(?:n.t| not) (?:like|enjoy)|"
    r"(?:not|n.t|never) (?:really )?my(?: thing| cup of tea| jam| favou?rite)?|(?:not|n.t) (?:for me|into)|"
    r"(?:not a|no|never a) fan|"
    r"no [\w-]+ for me|bores?|bored|leaves me|allergic|(?:can.?t|cannot) (?:really )?(?:handle|bear|eat|stomach)|(?:don.?t|do not) eat|"
    r"could(?:n.t| not) finish|from my likes"
)
_FOR_WORDS = (
    rf"{_LIKES}|loved|liked|enjoyed|adored|luv|lov|favou?rites?|fan|obsessed|into|crazy about|soft spot|weakness|sucker for|live for|"
    r"get enough|my (?:thing|jam|cup of tea|likes)|guilty pleasure"
)
_BACK_WORDS = r"\b(?:forget|drop|remove|delete|no longer|any ?more)\b|别再记|删掉|忘掉|不再"
_TASTE = re.compile(rf"\b(?:{_AGAINST_WORDS}|{_FOR_WORDS})\b|n.t my\b|{_BACK_WORDS}|讨厌|喜欢|爱|不吃|受不了|过敏|喜好", re.IGNORECASE)
_ANY_TASTE = re.compile(rf"{_TASTE.pattern}|\b(?:loves|likes|hates|adores|enjoys|prefers|dislikes)\b", re.IGNORECASE)
_TAKEN_BACK = re.compile(_BACK_WORDS, re.IGNORECASE)
_AGAINST = re.compile(rf"(?:\b|(?=n.t ))(?:{_AGAINST_WORDS})\b|讨厌|不喜欢|不爱|不吃|受不了|过敏", re.IGNORECASE)
_FOR = re.compile(rf"\b(?:{_FOR_WORDS})\b|喜欢|爱", re.IGNORECASE)
_WISH = re.compile(
    r"(?:\b(?:would|might|may|could|will)|['’](?:d|ll)) (?:(?:also|really|even|probably) )?(?:like|love|enjoy|prefer|adore)\b|"
    r"\blike your\b|\blove (?:stor(?:y|ies)|songs?|poems?|letters?|triangles?|actually)\b|爱情",
    re.IGNORECASE,
)
"""Words of liking that wish for something, or name it, and state no taste."""
_CODE = re.compile(r"\w\(|[=\[\]{}<>]")  # a sentence that writes calls speaks to a program
_GOES_ON = re.compile(r"^\s*(?:not|never|no|i|my|love|hate|really)\b|^\s*我", re.IGNORECASE)
_OTHERS = re.compile(
    r"\b(?:imagine|suppose|pretend|what if)\b|"
    r"\b(?:my (?!favou?rite)[\w-]+|he|she|they|people|everyone|everybody|who|kids|a (?:friend|colleague))(?: \w+)? "
    r"(?:loves?|likes?|hates?|adores?|enjoys?|dislikes?|swears|said|says|liked|loved|hated|is|are)\b"
    r"|\b(?:do|would|will|should|could|can) i\b"
    r"|我(?:的)?(?:姐|妹|哥|弟|妈|爸|老婆|老公|太太|先生|女儿|儿子|孩子|朋友|同事|同学|家人|室友|奶奶|爷爷)|他|她|大家|别人|人们|有人|都说",
    re.IGNORECASE,
)


def own_words(text: str) -> str:
    """The text without clauses that say what others like, where its author's own taste stands beside them; blanks take their places.

    >>> own_words("My sister loves horror but I hate westerns").strip()
    'but I hate westerns'
    >>> own_words("my sister loves horror, something for her")
    'my sister loves horror, something for her'
    """
    breaks = [match.start() for match in _CLAUSE.finditer(text)]
    clauses = list(zip([0, *breaks], [*breaks, len(text)], strict=True))
    tell = [(start, end) for start, end in clauses if _ANY_TASTE.search(_WISH.sub(" ", text[start:end]))]
    others = [(start, end) for start, end in tell if _OTHERS.search(text[start:end])]
    if len(others) == len(tell) or not any(_OWN.search(text[start:end]) for start, end in tell if (start, end) not in others):
        return text
    for start, end in others:
        text = text[:start] + " " * (end - start) + text[end:]
    return text


def own_sentences(text: str) -> list[str]:
    """The sentences in which a message may state its author's liking, outside quotes and of nobody else, each with the next one where that
    goes on with it ("Tarantino? Not my guy."). Wider than what `stated_tastes` reads: a model has to say what it is of.

    >>> own_sentences("honestly sci-fi is my favourite genre"), own_sentences("my sister loves horror")
    (['honestly sci-fi is my favourite genre'], [])
    """
    sentences = [one for one in _SENTENCE.split(_QUOTE.sub(" ", own_words(text))) if one.strip()]
    found = []
    for place, sentence in enumerate(sentences):
        after = sentences[place + 1] if place + 1 < len(sentences) and _GOES_ON.search(sentences[place + 1]) else ""
        said = f"{sentence}. {after}" if after else sentence
        stated = _WISH.sub(" ", said)
        own = _OWN.search(stated) or _SAID_WITHOUT_I.search(stated)
        if own and _TASTE.search(stated) and not _OTHERS.search(sentence) and not _CODE.search(said):
            found.append(said)
    return found


def actions_of(sentence: str) -> frozenset[str]:
    """What such a sentence may do: its verbs say whether it likes, dislikes or takes back.

    >>> [sorted(actions_of(text)) for text in ("I hate horror", "I love jazz but hate metal", "forget that I like horror")]
    [['dislike'], ['dislike', 'like'], ['forget']]
    """
    if _TAKEN_BACK.search(sentence):
        return frozenset({"forget"})
    sentence = _WISH.sub(" ", sentence)
    dislikes = _AGAINST.search(sentence) is not None
    likes = _FOR.search(_AGAINST.sub(" ", sentence)) is not None
    return frozenset(action for action, there in (("like", likes), ("dislike", dislikes)) if there)


def own_tastes(seen: Seen, box: Toolbox) -> frozenset[tuple[str, str, str]]:
    """Actions with the attributes and values that such sentences name, or the items of the last list that the message points at."""
    found = set[tuple[str, str, str]]()
    shown = [("item", str(item_id)) for item_id in seen.referred]
    sentences = own_sentences(seen.text) or ([seen.text] if shown and _TASTE.match(seen.text.strip()) else [])
    for sentence in sentences:
        for action in actions_of(sentence):
            found |= {(action, attribute, value) for attribute, value in (*_named(sentence, box), *shown)}
    return frozenset(found)


def examples(seen: Seen) -> tuple[ItemId, ...]:
    """The items that the list is to be like: those that the message points at, unless to be rid of them, and those that it names."""
    rid = seen.intent == "reject" or (seen.intent == "state_taste" and "dislike" in actions_of(seen.text))
    return tuple(dict.fromkeys([*(() if rid else seen.referred), *seen.mentioned]))


def stated_tastes(seen: Seen, box: Toolbox) -> Iterator[PlannedCall]:
    """Yield a call for each taste stated, at most six; a clause without a verb of liking goes on with the one before it. Where nothing is
    named, it is of the items of the last list that the message points at."""
    said: dict[tuple[str, str], str] = {}
    action = ""
    for clause in _CLAUSE.split(own_words(seen.text)):
        action = "dislike" if _DISLIKE.search(clause) else "like" if _LIKE.search(clause) else action
        if action:
            said |= dict.fromkeys(_named(clause, box), action)
    for sentence in own_sentences(seen.text) if seen.referred and not said else ():
        for one in actions_of(sentence) & {"like", "dislike"}:
            said |= {("item", str(item_id)): one for item_id in seen.referred}
    for (attribute, value), what in list(said.items())[:MOST]:
        yield PlannedCall("update_profile", {"action": what, "attribute": attribute, "value": value}, "policy")


def _named(clause: str, box: Toolbox) -> Iterator[tuple[str, str]]:
    """The items and values that a clause names, wanted or not."""
    for match in box.catalogue.find_titles(clause):
        yield "item", box.catalogue.items[match.rows[0]].item_id
    reading = constraints_from_text(clause, box.catalogue, box.concepts)
    for attribute in sorted({*reading.wishes, *reading.constraints.ban}):
        known = box.catalogue.vocabulary.get(attribute, {})
        values = {*reading.wishes.get(attribute, ()), *reading.constraints.ban.get(attribute, ())}
        yield from ((attribute, value) for value in sorted(values) if value in known and value not in NO_TASTES)
