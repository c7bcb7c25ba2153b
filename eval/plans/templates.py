"""Template files: groups of lines `earlier message || text => plan` with choices in brackets and slots in braces."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from pathlib import Path

_CHOICE = re.compile(r"\[([^\[\]]*)\]")
_HEAD = re.compile(r"== (\w+) (\d+)(?: (.*))?")


@dataclass(frozen=True, slots=True)
class Template:
    """One line of a template file; `weight` is its group's, shared among the group's lines."""

    name: str
    group: str
    weight: float
    flags: frozenset[str]
    before: str
    text: str
    plan: str

    @property
    def slots(self) -> frozenset[str]:
        """The slots of all three parts."""
        return frozenset(re.findall(r"\{(\w+)\}", f"{self.before} {self.text} {self.plan}"))


def read_templates(path: Path) -> tuple[Template, ...]:
    """Read a template file; ValueError with the line that is none."""
    templates: list[Template] = []
    heads: dict[str, tuple[int, frozenset[str]]] = {}
    group = ""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("# "):
            continue
        if head := _HEAD.fullmatch(line.strip()):
            group = head[1]
            heads[group] = (int(head[2]), frozenset((head[3] or "").split()))
            continue
        said, arrow, plan = line.rpartition(" => ")
        if not arrow and line.endswith(" =>"):
            said, arrow = line.removesuffix(" =>"), "=>"
        if not arrow or not group:
            raise ValueError(f"{path.name}, line {number}: a template is `text => plan` within a group")
        before, _, text = said.rpartition(" || ")
        templates.append(Template(f"{path.stem}/{group}/{number}", group, *heads[group], before.strip(), text.strip(), plan.strip()))
    sizes = {name: sum(one.group == name for one in templates) for name in heads}
    return tuple(
        Template(one.name, one.group, one.weight / sizes[one.group], one.flags, one.before, one.text, one.plan) for one in templates
    )


def choose(text: str, rng: random.Random) -> str:
    """Take one of each bracket's choices, the innermost first.

    >>> choose("[a|a] cat[ nap| nap]", random.Random(0))
    'a cat nap'
    """
    while match := _CHOICE.search(text):
        text = text[: match.start()] + rng.choice(match[1].split("|")) + text[match.end() :]
    return text
