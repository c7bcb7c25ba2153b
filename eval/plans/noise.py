"""How people really type: small slips in words that no plan copies, no punctuation, no capitals, capitals only, a smiley."""

from __future__ import annotations

import random
import re

from scenewise.eval.plans.slots import CLOSE, OPEN

EMOJI = ("🙂", "😀", "🙏", "😅", "🎬", "❤️", "😴", "👍", "🤔", "✨", "😂", "xx", ":)", ";)", "haha", "lol")
_KEPT = re.compile(f"({OPEN}[^{CLOSE}]*{CLOSE})")
_WORD = re.compile(r"[A-Za-z]{4,}")
_POINTS = re.compile(r"[.,!?;]+(?=\s|$)")
_SHORT = {
    "please": ("pls", "plz"),
    "you": ("u",),
    "your": ("ur",),
    "are": ("r",),
    "something": ("smth", "sth"),
    "and": ("&",),
    "for": ("4",),
    "want to": ("wanna",),
    "going to": ("gonna",),
    "recommend": ("rec", "reccomend", "recomend"),
    "I'm": ("im",),
    "don't": ("dont",),
    "can't": ("cant",),
    "what's": ("whats",),
    "I've": ("ive",),
    "I'd": ("id",),
}


def noisy(text: str, rng: random.Random) -> tuple[str, str]:
    """Return the text with noise, the marks taken out, and what became of its case: "", "lower" or "upper"."""
    parts = _KEPT.split(text)
    if rng.random() < 0.22:
        parts = [part if part.startswith(OPEN) else _slip(part, rng) for part in parts]
    if rng.random() < 0.15:
        parts = [part if part.startswith(OPEN) else _shorten(part, rng) for part in parts]
    if rng.random() < 0.15:
        parts = [part if part.startswith(OPEN) else _POINTS.sub("", part) for part in parts]
    plain = " ".join("".join(parts).replace(OPEN, "").replace(CLOSE, "").split())
    if rng.random() < 0.06:
        plain = f"{plain} {rng.choice(EMOJI)}" if rng.random() < 0.8 else f"{rng.choice(EMOJI)} {plain}"
    roll = rng.random()
    if roll < 0.3:
        return plain.lower(), "lower"
    if roll < 0.33:
        return plain.upper(), "upper"
    return (plain[:1].upper() + plain[1:] if roll < 0.5 else plain), ""


def _slip(part: str, rng: random.Random) -> str:
    found = list(_WORD.finditer(part))
    if not found:
        return part
    match = rng.choice(found)
    word, at = match[0], rng.randrange(1, len(match[0]) - 1)
    slips = (
        word[:at] + word[at + 1 :],
        word[:at] + word[at + 1] + word[at] + word[at + 2 :],
        word[:at] + word[at] + word[at:],
        word[:at] + rng.choice("abcdefghijklmnopqrstuvwxyz") + word[at + 1 :],
    )
    return part[: match.start()] + rng.choice(slips) + part[match.end() :]


def _shorten(part: str, rng: random.Random) -> str:
    for word, others in _SHORT.items():
        if rng.random() < 0.6:
            part = re.sub(rf"(?<!\w){re.escape(word)}(?!\w)", rng.choice(others), part)
    return part
