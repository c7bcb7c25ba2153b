"""Whether a plan is right for a case: its tools, its arguments, its question back, as docs/planning.md says."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scenewise.agent.model import Call
from scenewise.agent.plan_request import PlanRequest
from scenewise.eval.plan_cases import ARGUMENTS, PlanCase, Wanted

FILTER, UPDATE = "filter_catalogue", "update_profile"
_LISTS = frozenset({"titles", "like_titles", "without", "domains"})
_ARTICLES = frozenset({"a", "an", "the"})
_HAN = re.compile(r"[\u3400-\u9fff]")
_TELLING = re.compile(r"[\u3400-\u9fff]|[^\W_\u3400-\u9fff]+")
# Words that tell nothing of what is looked for: small words, politeness, and the kinds of items, which have their own argument.
_EMPTY = frozenset(
    """a an the and or but so of for to in on at by with without from about as is are be it its this that these those there i im id we you
    he she they me my our your his her their us them do does did have has had can could would will should want wanna need like please pls
    thanks some any something anything sth smth one ones thing things stuff more good nice great find
    show give get recommend suggest really just very too also well not no
    film films movie movies picture pictures flick flicks book books novel novels music song songs album albums record recipe recipes dish
    app apps course courses class classes workout workouts exercise
    的 了 在 是 我 你 他 她 们 有 没 和 跟 与 也 就 都 那 这 个 些 点 来 给 看 听 想 要 吧 吗 呢 啊 一 部 本 首 张 电 影 片 书 音 乐
    歌 专 辑 菜 谱 课 程 软 件""".split()  # noqa: SIM905
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a planner made of a case. `readable`: whether it could be taken for a plan at all; `raw` is what it wrote."""

    calls: tuple[Call, ...] = ()
    ask: bool = False
    readable: bool = True
    tokens: int = 0
    seconds: float = 0.0
    raw: str = ""


@dataclass(frozen=True, slots=True)
class Score:
    """How a case went. `hits`, `misses` and `extras` count required tools called, required ones left out, and tools called that are neither
    required nor allowed; `args_right` of `args_given` arguments are right; `no_cause`: the profile is changed and should not be."""

    executable: bool
    whole: bool
    hits: int
    misses: int
    extras: int
    args_right: int
    args_given: int
    called: bool
    asked: bool
    no_cause: bool


def score(case: PlanCase, outcome: Outcome) -> Score:
    """Judge a plan."""
    expect, calls = case.expect, joined(outcome.calls)
    called = {call.name for call in calls}
    extras = called - expect.required - expect.allowed
    right, given = 0, 0
    for tool, wanted in expect.args.items():
        found, asked_for = arguments_right(wanted, [call for call in calls if call.name == tool], case.request)
        right, given = right + found, given + asked_for
    tools_right = expect.required <= called and not extras
    return Score(
        executable=outcome.readable and all(executable(call) for call in calls),
        whole=outcome.readable and tools_right and outcome.ask == expect.ask and right == given,
        hits=len(expect.required & called),
        misses=len(expect.required - called),
        extras=len(extras),
        args_right=right,
        args_given=given,
        called=bool(called),
        asked=outcome.ask,
        no_cause=UPDATE in extras,
    )


def executable(call: Call) -> bool:
    """Whether it names a tool of a plan, with arguments that this tool has and of their types."""
    if call.name not in ARGUMENTS or not call.arguments.keys() <= ARGUMENTS[call.name]:
        return False
    texts = {"value", "query", "domain", "action", "attribute"}
    return all(
        isinstance(value, str)
        if key in texts
        else isinstance(value, Sequence) and not isinstance(value, str) and all(isinstance(one, str) for one in value)
        if key in _LISTS
        else isinstance(value, int | float)
        for key, value in call.arguments.items()
        if value is not None
    )


def joined(calls: Sequence[Call]) -> list[Call]:
    """The calls with all conditions in one."""
    conditions: dict[str, Any] = {}
    for call in calls:
        if call.name == FILTER:
            for key, value in call.arguments.items():
                both = isinstance(value, list | tuple) and isinstance(conditions.get(key), list | tuple)
                conditions[key] = [*conditions[key], *value] if both else value
    has_any = any(call.name == FILTER for call in calls)
    return [call for call in calls if call.name != FILTER] + ([Call(FILTER, conditions)] if has_any else [])


def arguments_right(wanted: Sequence[Wanted], calls: Sequence[Call], request: PlanRequest) -> tuple[int, int]:
    """How many of the given arguments are right, and how many there are; each wanted call is compared with the best of those left."""
    left, right = list(calls), 0
    for one in wanted:
        counts = [sum(is_right(key, accepted, call.arguments.get(key), request) for key, accepted in one.items()) for call in left]
        if counts:
            best = max(range(len(counts)), key=counts.__getitem__)
            right += counts[best]
            left.pop(best)
    return right, sum(len(one) for one in wanted)


def is_right(key: str, accepted: Any, value: Any, request: PlanRequest) -> bool:
    """Whether an argument's value is one of those accepted; None among them accepts that it is left out."""
    if key in _LISTS:
        return _names_right(key, accepted, value)
    options = accepted if isinstance(accepted, list | tuple) else [accepted]
    if value is None:
        return None in options
    if key == "query":
        return any(isinstance(option, str) and query_right(option, str(value), request) for option in options)
    if isinstance(value, int | float):
        return any(isinstance(option, int | float) and abs(option - value) < 1e-6 for option in options)
    return any(isinstance(option, str) and plain(option) == plain(str(value)) for option in options)


def _names_right(key: str, accepted: Any, value: Any) -> bool:
    """Every wanted name is there (each may be a list of its spellings), and nothing else is. What is not wanted may be inflected otherwise:
    "violent" for "violence"."""
    wanted = [one if isinstance(one, list | tuple) else [one] for one in (accepted if isinstance(accepted, list | tuple) else [accepted])]
    given = [value] if isinstance(value, str) else list(value) if isinstance(value, list | tuple) else []
    if not given:
        return False

    def same(a: str, b: str) -> bool:
        return plain(a) == plain(b) or (key == "without" and _alike(telling(a), telling(b)))

    there = all(any(same(str(name), str(mine)) for name in names for mine in given) for names in wanted)
    return there and all(any(same(str(name), str(mine)) for names in wanted for name in names) for mine in given)


def query_right(accepted: str, query: str, request: PlanRequest) -> bool:
    """Whether a query holds the telling words of the accepted one, and none that neither it nor the conversation has."""
    wanted, said = telling(accepted), telling(query)
    known = [*wanted, *(word for one in request.messages for word in telling(one["content"]))]
    known += [word for title in request.last_items for word in telling(title)]
    holds = all(any(one_word(word, mine) for mine in said) for word in wanted)
    return bool(said) and holds and all(any(one_word(word, other) for other in known) for word in said)


def telling(text: str) -> list[str]:
    """The words that say what is meant, casefolded; Chinese by character.

    >>> telling("a funny film for the kids"), telling("轻松的喜剧")
    (['funny', 'kids'], ['轻', '松', '喜', '剧'])
    """
    folded = unicodedata.normalize("NFKC", text).casefold().replace("'", "").replace("’", "")
    return [word for word in _TELLING.findall(folded) if word not in _EMPTY]


def plain(text: str) -> str:
    """A text as texts are compared: casefolded, without punctuation and articles, Chinese without blanks.

    >>> plain("The Rock!"), plain("汤姆·汉克斯"), plain("Schindler's List")
    ('rock', '汤姆汉克斯', 'schindlers list')
    """
    folded = unicodedata.normalize("NFKC", text).casefold().replace("'", "").replace("’", "")
    words = [word for word in re.findall(r"[^\W_]+", folded) if word not in _ARTICLES]
    return ("" if _HAN.search(folded) else " ").join(words or folded.split())


def one_word(a: str, b: str) -> bool:
    """Whether two words are one but for its ending: "comedy" and "comedies"; at least four letters must be the same, and all but three."""
    if a == b:
        return True
    same = next((place for place, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    return same >= 4 and max(len(a), len(b)) - same <= 3


def _alike(a: Sequence[str], b: Sequence[str]) -> bool:
    return len(a) == len(b) > 0 and all(one_word(x, y) for x, y in zip(a, b, strict=True))


def described(case: PlanCase, outcome: Outcome) -> Mapping[str, Any]:
    """A miss as it is shown: what was said, expected and planned."""
    expect = case.expect
    wanted: Any = "no tool" if expect.no_tool else "a question back" if expect.ask else {"required": sorted(expect.required)}
    if isinstance(wanted, dict):
        wanted |= {"args": {tool: list(calls) for tool, calls in expect.args.items()}}
    planned: Any = "a question back" if outcome.ask else [{call.name: dict(call.arguments)} for call in outcome.calls]
    said = [one["content"] for one in case.request.messages if one["role"] == "user"]
    return {"id": case.case_id, "message": said[-1] if said else "", "expected": wanted, "planned": planned, "raw": outcome.raw[:200]}
