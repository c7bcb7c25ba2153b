"""How many items a message asks for."""

from __future__ import annotations

import re

from scenewise.tools.toolbox import Toolbox

MOST = 20
_WORDS = {word: n for n, word in enumerate(("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"), 2)}
_HAN = {word: n for n, word in enumerate("二三四五六七八九十", 2)} | {"两": 2, "兩": 2}
_COUNTED = re.compile(
    rf"(?<![\w.#$€£-])(?P<n>\d{{1,2}}|{'|'.join(_WORDS)})\s+(?:(?:more|other|good|great|nice|different|new|best|short|funny)\s+)*"
    rf"(?P<thing>(?:things|ideas|suggestions|options|recommendations|picks|tips)\b)?"
    rf"|(?<![第\d])(?P<zh>\d{{1,2}}|[{''.join(_HAN)}])[本部首个款张道门条]",
    re.IGNORECASE,
)


def how_many(text: str, box: Toolbox) -> int | None:
    """The number of items that the message asks for: "three books", "top 10 films", 来五首歌. None where it does not say, or more than
    20; one is what every wish is for, and a number in a title is the title's."""
    titles = [(one.start, one.end) for one in box.catalogue.find_titles(text)]
    for match in _COUNTED.finditer(text):
        said = match["n"] or match["zh"]
        n = int(said) if said.isdigit() else _WORDS.get(said.casefold()) or _HAN.get(said, 0)
        if not 1 < n <= MOST or any(start <= match.start() < end for start, end in titles):
            continue
        after = box.concepts.find(text[match.end() :])
        if match["thing"] or match["zh"] or any(one.start == 0 and one.concept.domains for one in after):
            return n
    return None
