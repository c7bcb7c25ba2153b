"""Corrections of the scene: "no, I'm at home", "I'm not at the gym, I'm commuting", "不对，我在家"."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from scenewise.store.types import Moment, Place
from scenewise.tools.scene.hints import moment_hints
from scenewise.tools.scene.reading import SceneReading, Signal
from scenewise.tools.scene.recogniser import SceneRecogniser

SURE = 0.5  # of the words alone, to take them for a scene where neither a scene nor a place is named
_I = r"(?:i['’]?m|i am|we['’]?re|we are|it['’]?s|it is|this is)"
_CORRECTIONS = (
    re.compile(rf"^(?:(?:no|nope|nah|wrong|actually|sorry)\b[\s,.!:;-]*)+(?P<meant>{_I}\b.*)", re.IGNORECASE),
    re.compile(rf"^(?:\w+[\s,.!]+)?{_I} not\b[^,.;]*[,.;]\s*(?:but )?(?P<meant>{_I}\b.*)", re.IGNORECASE),
    re.compile(rf"^(?P<meant>{_I}\b[^,.;]*),\s*not\b.*", re.IGNORECASE),
    re.compile(r"^(?:不对|不是的?|错了?|不|没有)[，,。！!\s]+(?P<meant>(?:我们?|现在|这是|是).*)"),
    re.compile(r"^(?:我们?)?(?:现在)?(?:不在|没在|不是在?)[^，,。；;]*[，,。；;]\s*(?P<meant>(?:我们?|现在|而?是|在).*)"),
)
_MOVES = (
    re.compile(rf"^(?:(?:ok|okay|so|well|and)\b[\s,]*)*(?P<meant>{_I}\b[^,.;?]{{1,40}}?)\s+now[.!\s]*$", re.IGNORECASE),
    re.compile(
        r"^(?:(?:ok|okay|so|well|and)\b[\s,]*)*(?:(?:i|we)(?:['’]ve| have)? )?(?:(?:just|finally) )*"
        r"(?P<meant>(?:got|arrived|came|made it|back)(?: back)? (?:home|(?:to|at) (?:\w+ ){0,2}\w+))(?: now)?[.!\s]*$",
        re.IGNORECASE,
    ),
    re.compile(r"^(?:我们?)?(?:已经|刚)?(?P<meant>到[^，,。；;？?]{1,6}了)[。！!\s]*$"),
)
"""Where one has got to: nothing was wrong before."""
_DENIAL = re.compile(r"\bnot\b|n['’]t\b|^我?不|没在", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Correction:
    """What a user put right: `reading` is the scene as it is to be taken now (its scene None where only a place was named that makes
    none), `place` the type of the place they are at, where they said one; `moved`: it is so only now, and what was thought before was
    not wrong."""

    reading: SceneReading
    place: str | None
    moved: bool = False


def meant_by(text: str) -> str | None:
    """The part of a message that says how it really is, None where nothing is put right.

    >>> meant_by("I'm not at the gym, I'm commuting")
    "I'm commuting"
    >>> meant_by("不对，我在家"), meant_by("no, something shorter"), meant_by("no, I'm not into horror")
    ('我在家', None, None)
    """
    for pattern in _CORRECTIONS:
        if (match := pattern.search(text)) and not _DENIAL.search(match["meant"].partition(",")[0]):
            return match["meant"].strip()
    return None


def read_correction(text: str, moment: Moment, recogniser: SceneRecogniser) -> Correction | None:
    """Read a correction: a scene by its name or by its words, or a place, with which the rest of the moment is read anew; where one has
    moved ("I'm home now"), by a name or a place alone."""
    meant = meant_by(text)
    if meant is None:
        return _read_move(text, moment, recogniser)
    named, place = _named(meant, recogniser), moment_hints(meant).place
    if named:
        return Correction(certain(named), place.type if place else None)
    alone = recogniser.recognise(meant, Moment())
    if alone.scene is not None and alone.probability >= SURE:
        return Correction(certain(alone.scene), place.type if place else None)
    if place is None:
        return None
    return Correction(_read_at(place.type, meant, moment, recogniser), place.type)


def _read_move(text: str, moment: Moment, recogniser: SceneRecogniser) -> Correction | None:
    meant = next((match["meant"] for pattern in _MOVES if (match := pattern.search(text))), None)
    if meant is None or _DENIAL.search(meant):
        return None
    named, place = _named(meant, recogniser), moment_hints(meant).place
    if named:
        return Correction(certain(named), place.type if place else None, moved=True)
    return Correction(_read_at(place.type, meant, moment, recogniser), place.type, moved=True) if place is not None else None


def _named(meant: str, recogniser: SceneRecogniser) -> str | None:
    return next((name for name in recogniser.pack.names if re.search(rf"\b{re.escape(name)}\b", meant, re.IGNORECASE)), None)


def _read_at(place: str | None, meant: str, moment: Moment, recogniser: SceneRecogniser) -> SceneReading:
    reading = recogniser.recognise(meant, replace(moment, place=Place(place)))
    return certain(reading.scene) if reading.scene else reading


def certain(scene: str) -> SceneReading:
    """The reading of a scene that the user put right."""
    return SceneReading(scene, 1.0, {scene: 1.0}, (Signal("corrected", scene, 1.0),))
