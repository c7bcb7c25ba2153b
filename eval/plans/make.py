"""All pairs: drawn from templates and public utterances, none said twice, none near a measured case, a part kept back by template."""

from __future__ import annotations

import gzip
import hashlib
import json
import random
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rapidfuzz import fuzz, process

from scenewise.eval.plans.compose import make_chinese_pair, make_pair
from scenewise.eval.plans.dialogues import OPEN_DIAL, REDIAL, dialogues
from scenewise.eval.plans.pair import Pair, as_written, fits_its_request
from scenewise.eval.plans.pools import HERE, Pools, read_pools, read_words
from scenewise.eval.plans.slots import DOMAINS
from scenewise.eval.plans.templates import Template, read_templates
from scenewise.eval.plans.utterances import CLINC, HWU, intents

CHINESE, OUT_OF_SCOPE = 0.2, 0.06  # shares of all pairs
NEAR = 95.0  # token-set ratio from which two messages count as one
DEV_PER_TEMPLATE, LARGE_GROUP = 8, 5
CASES = HERE / "cases.jsonl"
_PLAIN = re.compile(r"[^\w]+")


@dataclass(frozen=True, slots=True)
class Made:
    """`train` in random order, `dev` of templates and rules that `train` has nothing of; `dropped` counts what was near a measured case;
    `absent` names the data that was not there."""

    train: tuple[Pair, ...]
    dev: tuple[Pair, ...]
    dropped: int
    absent: tuple[str, ...]


def make_pairs(
    data: Path | None,
    *,
    n: int,
    n_dev: int = 300,
    seed: int = 0,
    with_nc: bool = False,
    report: Callable[[int, int | None], None] = lambda done, total: None,
) -> Made:
    """Make about `n` pairs and `n_dev` kept back. `data` is the folder of shared data; what it lacks is left out and named. `with_nc`
    adds dialogues whose licence bars commercial use."""
    rng = random.Random(seed)
    pools = read_pools(data)
    public, absent = public_pairs(data, pools, n, rng, with_nc=with_nc)
    guard = Guard(measured_messages(), validation_messages(data))
    templates = (*read_templates(HERE / "english.txt"), *read_templates(HERE / "chinese.txt"))
    kept_back = kept_back_templates(templates, n_dev, rng)
    public = [pair for pair in public if guard.admits(pair, near_validation=True)]
    drawn, total = [*public], n + n_dev
    n_chinese = round(CHINESE * total)
    for wanted, chinese in ((total - len(public) - n_chinese, False), (n_chinese, True)):
        for pair in draw(templates, pools, wanted, chinese=chinese, rng=rng, guard=guard):
            drawn.append(pair)
            report(len(drawn), total)
    dev_all = [pair for pair in drawn if pair.group in kept_back]
    rng.shuffle(dev_all)
    train = [pair for pair in drawn if pair.group not in kept_back]
    rng.shuffle(train)
    return Made(tuple(train), tuple(_spread(dev_all, n_dev)), guard.dropped, (*pools.absent, *absent))


def draw(templates: Sequence[Template], pools: Pools, n: int, *, chinese: bool, rng: random.Random, guard: Guard) -> Iterator[Pair]:
    """Yield `n` pairs of one language's templates, as often as their groups weigh; fewer where they give no more that is new."""
    mine = [one for one in templates if one.name.startswith("chinese") == chinese]
    weights, words = [one.weight for one in mine], read_words("words_zh.toml")
    made = tries = 0
    while made < n and tries < 40 * n:
        tries += 1
        template = rng.choices(mine, weights)[0]
        pair = make_chinese_pair(template, pools, words, rng) if chinese else make_pair(template, pools, rng)
        if pair is None or guard.has_seen(pair):  # before the grammar, which takes most of the time
            continue
        if fits_its_request(pair := as_written(pair), DOMAINS) and guard.admits(pair):
            made += 1
            yield pair


def public_pairs(data: Path | None, pools: Pools, n: int, rng: random.Random, *, with_nc: bool) -> tuple[list[Pair], list[str]]:
    """The pairs of public utterances, those that are out of scope cut to their share; and what of the data is absent."""
    people = frozenset(name.casefold() for name in pools.people.get("movies", ()))
    readers: dict[str, Callable[[Path], Iterable[Pair]]] = {
        "dialogues/redial/valid.jsonl.gz": lambda path: dialogues(path, people, REDIAL),
        "nlu/clinc150/train_val.json.gz": lambda path: intents(path, CLINC),
        "nlu/hwu64/train": lambda path: intents(path, HWU),
    }
    if with_nc:
        readers["dialogues/opendialkg/train.jsonl.gz"] = lambda path: dialogues(path, people, OPEN_DIAL)
    pairs: list[Pair] = []
    absent = [name for name in readers if data is None or not (data / name).exists()]
    for name, read in readers.items():
        if name not in absent and data is not None:
            pairs += [pair for one in read(data / name) if fits_its_request(pair := as_written(one), DOMAINS)]
    outside = [pair for pair in pairs if pair.plan == "none"]
    return [*(pair for pair in pairs if pair.plan != "none"), *rng.sample(outside, min(len(outside), round(OUT_OF_SCOPE * n)))], absent


class Guard:
    """Lets a message pass once, and never one that is among the measured ones or close to one. Those are only compared with."""

    def __init__(self, measured: Sequence[str], validation: Sequence[str] = ()) -> None:
        self._measured = [text for text in measured if len(text.split()) > 2]
        self._validation = [text for text in validation if len(text.split()) > 2]
        self._hashes = {digest(text) for text in (*measured, *validation)}
        self._seen: set[str] = set()
        self.dropped = 0

    def admits(self, pair: Pair, *, near_validation: bool = False) -> bool:
        """Whether the pair is new and nothing that is measured."""
        if self.has_seen(pair):
            return False
        plain = normal(pair.message)
        near = [*self._measured, *(self._validation if near_validation else ())]
        close = len(plain.split()) > 2 and process.extractOne(plain, near, scorer=fuzz.token_set_ratio, score_cutoff=NEAR) is not None
        if close or digest(plain) in self._hashes:
            self.dropped += 1
            return False
        self._seen.add(self._key(pair))
        return True

    def has_seen(self, pair: Pair) -> bool:
        """Whether the same was said in the same conversation before."""
        return self._key(pair) in self._seen

    @staticmethod
    def _key(pair: Pair) -> str:
        return digest(pair.message) + repr([one["content"] for one in pair.request.messages[:-1]])


def write_pairs(path: Path, pairs: Iterable[Pair]) -> None:
    """Write pairs as JSON lines; the file is there whole or not at all."""
    part = path.with_name(f"{path.name}.part")
    with part.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(pair.to_row(), ensure_ascii=False) + "\n" for pair in pairs)
    part.replace(path)


def tell(made: Made) -> str:
    """What was made, in a few lines."""
    sources = Counter(f"{pair.source} ({pair.licence})" for pair in made.train)
    verbs = Counter(pair.plan.partition("(")[0] for pair in made.train)
    lines = [f"{len(made.train):,} pairs, {len(made.dev):,} kept back, {made.dropped:,} left out as near what is measured"]
    lines.append("plans begin with: " + ", ".join(f"{verb} {n:,}" for verb, n in verbs.most_common()))
    lines += [f"from {source}: {n:,}" for source, n in sources.most_common()]
    lines += [f"not there: {name}" for name in made.absent]
    return "\n".join(lines)


def measured_messages(cases: Path = CASES) -> list[str]:
    """The last messages of the measured cases, normalised; none where there is no such file."""
    if not cases.exists():
        return []
    rows = [json.loads(line) for line in cases.read_text(encoding="utf-8").splitlines() if line.strip()]
    return [normal(row["messages"][-1]["content"]) for row in rows]


def validation_messages(data: Path | None) -> list[str]:
    """The utterances of CLINC150's and HWU64's validation parts that are there, normalised."""
    texts: list[str] = []
    if data is not None and (path := data / "nlu" / "clinc150" / "train_val.json.gz").exists():
        with gzip.open(path, "rt", encoding="utf-8") as file:
            held = json.load(file)
        texts += [text for text, _ in (*held["val"], *held["oos_val"])]
    if data is not None and (path := data / "nlu" / "hwu64" / "valid" / "seq.in").exists():
        texts += path.read_text(encoding="utf-8").splitlines()
    return [normal(text) for text in texts]


def normal(text: str) -> str:
    """Lower case, words only."""
    return _PLAIN.sub(" ", text.casefold()).strip()


def digest(text: str) -> str:
    """A short hash of the normalised text."""
    return hashlib.sha256(normal(text).encode()).hexdigest()[:16] if normal(text) else text


def kept_back_templates(templates: Sequence[Template], n_dev: int, rng: random.Random) -> frozenset[str]:
    """Templates for the development set: at least one of each large group, so that every phenomenon has templates left to learn from."""
    groups: dict[str, list[str]] = {}
    for template in templates:
        groups.setdefault(template.name.rsplit("/", 1)[0], []).append(template.name)
    large = {group: names for group, names in groups.items() if len(names) >= LARGE_GROUP}
    chosen = [name for group in sorted(large) for name in rng.sample(large[group], max(1, len(large[group]) // 12))]
    return frozenset(chosen) if n_dev else frozenset()


def _spread(pairs: Sequence[Pair], n: int) -> list[Pair]:
    """At most `n` pairs, at most `DEV_PER_TEMPLATE` of a template first."""
    counts: dict[str, int] = {}
    first: list[Pair] = []
    rest: list[Pair] = []
    for pair in pairs:
        counts[pair.group] = counts.get(pair.group, 0) + 1
        (first if counts[pair.group] <= DEV_PER_TEMPLATE else rest).append(pair)
    return [*first, *rest][:n]
