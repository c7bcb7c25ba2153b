"""Perception: what the message, the moment, the profile and the conversation say, before any tool looks for items."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from scenewise.agent.corrections import Correction, certain, meant_by, read_correction
from scenewise.agent.counts import how_many
from scenewise.agent.intents import RECOMMEND, IntentReader
from scenewise.agent.memory import Memory
from scenewise.agent.record import Request, Seen
from scenewise.agent.references import asks_why, meant, refer, refused_titles, spell_out
from scenewise.agent.refine import refine
from scenewise.agent.tastes import own_sentences, own_words
from scenewise.agent.wants import goes_on_from, joined, limited_before, named_before, wanted_before
from scenewise.store.errors import InputError
from scenewise.store.persons import history_of, profile_of
from scenewise.store.types import Event, ItemId, Moment, Place, Profile, UserId
from scenewise.tools.catalogue.concepts import Reading, constraints_from_text
from scenewise.tools.catalogue.constraints import Constraints
from scenewise.tools.catalogue.titles import TitleMatch
from scenewise.tools.context import TurnContext
from scenewise.tools.graph.tool import as_asked
from scenewise.tools.ranking.slate.repeats import asks_for_known, known_rows, repeats_of
from scenewise.tools.scene.hints import merge_moment, moment_hints
from scenewise.tools.scene.own import locate, places_of, taught_by
from scenewise.tools.scene.pack import SceneDef
from scenewise.tools.scene.reading import SceneReading, Signal
from scenewise.tools.toolbox import Toolbox

MAX_MESSAGE = 8_000
HISTORY_LIMIT = 1_000
IMPLIED_WISH = 2.0  # twice a wish
NAMED_WISH = 4.0  # beats what a scene prefers and what makes up for kinds without ratings
IMPLIED_SHARE = 0.8  # of a genre's items that must be of one kind for the genre to imply it
FUTURE_LIMIT_S = 366 * 86_400.0
_UNSEEN = re.compile(r"[\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_PERSON = re.compile(r"\b(?:by|starring|directed by|featuring|with) ((?:[A-Z][\w'’.-]+ ?){2,4})")
_HAN = re.compile(r"[\u3400-\u9fff]")
NOBODY = UserId("")
CLEARLY = 0.45  # of the words alone, to leave a scene that the user put right; of a request that says none it is .1 or less
PAST_TURNS = 200
SAME_MOMENT_S = 3 * 3600.0


def clean_text(message: str) -> str:
    """Normalise a message (NFC) and drop what is not meant to be read: control characters and direction marks.

    Raises InputError for more than 8,000 characters.
    """
    if len(message) > MAX_MESSAGE:
        raise InputError(f"a message has at most {MAX_MESSAGE:,} characters and this one has {len(message):,}: send the part that matters")
    plain = _UNSEEN.sub("", unicodedata.normalize("NFC", message))
    return " ".join("".join(" " if unicodedata.category(char) in ("Cc", "Cs") else char for char in plain).split())


def check_moment(moment: Moment, now_s: float) -> None:
    """Raise InputError for a moment that cannot be: over a year away, no time at all, or not on the Earth."""
    place = moment.place
    if moment.local_time is not None and not _is_near(moment.local_time, now_s):
        raise InputError("the moment's time is more than a year away: give the user's present local time, or leave it out")
    if moment.available_min is not None and not 0 < moment.available_min < 10_000:
        raise InputError("the minutes available must be above 0 and below 10,000")
    if place is not None and place.latitude is not None and not -90 <= place.latitude <= 90:
        raise InputError("a latitude is between -90 and 90 degrees")
    if place is not None and place.longitude is not None and not -180 <= place.longitude <= 180:
        raise InputError("a longitude is between -180 and 180 degrees")
    if place is not None and place.speed_mps is not None and not 0 <= place.speed_mps < 400:
        raise InputError("a speed is between 0 and 400 metres a second")


def _is_near(time: datetime, now_s: float) -> bool:
    try:
        return abs(time.timestamp() - now_s) <= FUTURE_LIMIT_S
    except (ValueError, OverflowError, OSError):  # a year that no clock has
        return False


def in_its_language(moment: Moment, text: str) -> Moment:
    """The moment with the locale zh where the text is Chinese and the locale says no more than the default."""
    chinese = len(_HAN.findall(text)) * 2 > len(text.replace(" ", ""))
    return replace(moment, locale="zh") if moment.locale == "en" and chinese else moment


def perceive(request: Request, box: Toolbox, intents: IntentReader, memory: Memory) -> Seen:
    """Read the request: intent, scene with its signals, words, profile, history and what the last list adds."""
    text = spell_out(clean_text(request.message), memory, box)
    check_moment(request.moment, request.now_s)
    now = request.moment.local_time or datetime.fromtimestamp(request.now_s)
    profile = profile_of(box.store, request.user_id) if request.user_id else Profile(NOBODY)
    moment = moment_of(request.moment, text, now, profile, memory)
    correction = read_correction(text, moment, box.recogniser)
    if correction is not None and correction.place is not None:
        moment = replace(moment, place=Place(correction.place))
    intent = RECOMMEND if correction else intents.read(text, has_list=bool(memory.items))
    if intent == RECOMMEND and asks_why(text, memory, box):
        intent = "explain"
    moment = in_its_language(moment, text)
    if correction is not None:  # what was asked for before is still wanted
        text = asked_before(request, box, intents) or text
    matches = box.catalogue.find_titles(text)
    scene = read_scene(request, _without(text, matches), moment, box, memory, profile=profile, correction=correction)
    reading = without_circumstances(constraints_from_text(own_words(text), box.catalogue, box.concepts), scene, box)
    referred = refer(text, intent, memory, box)
    refused, refusals = ((), ()) if intent == "explain" else refused_titles(text, matches, memory, box)
    named = tuple(box.catalogue.items[meant(match, reading, box)].item_id for match in matches)
    mentioned = tuple(item_id for item_id in named if item_id not in refused)
    earlier = goes_on_from(text, intent, reading, mentioned, memory.asked, box) if correction is None else ()
    if earlier:
        reading = joined(earlier, reading)
        mentioned = mentioned or tuple(item_id for item_id in named_before(earlier, box) if item_id not in (*refused, *memory.rejected))
    elif intent == "more_like" and referred:
        reading = limited_before(memory.asked, reading, box)
    reading = imply_domains(reading, (*mentioned, *(referred if intent == "more_like" else ())), box)
    constraints, notes = join_constraints(intent, reading, profile, memory, referred, box)
    constraints = constraints.merge(Constraints(ban_items=frozenset(refused)))
    history: tuple[Event, ...] = ()
    if request.user_id is not None and box.store.users.exists(request.user_id):
        history = history_of(box.store, request.user_id)
    if request.user_id is not None and not history and not (profile.likes or profile.dislikes):
        notes = (*notes, "this user is new: nothing is known yet")
    scene_def = box.pack.get(scene.scene) if scene.scene else None
    allowed = box.catalogue.allowed(constraints) & fits_scene(scene_def, moment, reading, box)
    allowed, start, more = narrowed(text, allowed, box, before=[one for one, _ in earlier[:1]])
    mentioned, notes = tuple(dict.fromkeys((*mentioned, *start))), (*notes, *more)
    allowed &= may_repeat(history, request.now_s, asks_for_known(text) and intent != "reject", allowed, box)
    context = TurnContext(
        user_id=request.user_id,
        message=text,
        moment=moment,
        scene=scene,
        profile=profile,
        history=history[-HISTORY_LIMIT:],
        constraints=constraints,
        allowed=allowed,
        now_s=request.now_s,
        k=how_many(text, box) or request.k,
        seed=request.seed,
        may_write_profile=request.may_write and request.user_id is not None and (intent == "state_taste" or bool(own_sentences(text))),
    )
    unknown = unknown_names(text, box)
    taught = what_was_taught(request, correction, box)
    seen = Seen(request, text, intent, context, reading, memory, referred, mentioned, unknown, notes, correction, taught, refused, refusals)
    return replace(seen, asked=memory.asked, before=wanted_before(earlier)) if earlier else seen


def asked_before(request: Request, box: Toolbox, intents: IntentReader) -> str | None:
    """The conversation's last message, where it asked for items."""
    last = box.store.turns.last(request.conversation_id, before=request.turn_id)
    message = str(last["message"]) if last else ""
    asked = message and meant_by(message) is None and intents.read(message, has_list=False) in (RECOMMEND, "anything")
    return message if asked else None


def narrowed(
    text: str, allowed: NDArray[np.bool_], box: Toolbox, *, before: Sequence[str] = ()
) -> tuple[NDArray[np.bool_], tuple[ItemId, ...], tuple[str, ...]]:
    """What of the allowed items a question to the graph ("films by the director of Heat") asks for, all of it where nothing is; the item
    that it starts from; notes. The question may be that of a message `before` which this one goes on from."""
    questions = (as_asked(box.graph, one, allowed) for one in (text, *before))
    asked = next((one for one in questions if one is not None), None)
    if asked is None:
        return allowed, (), ()
    found, node = asked
    start = (ItemId(node.removeprefix("item:")),) if node is not None and node.startswith("item:") else ()
    return (found, start, ()) if found.any() else (allowed, start, ("nothing that may be shown is joined to it as asked",))


def moment_of(given: Moment, text: str, now: datetime, profile: Profile, memory: Memory) -> Moment:
    """The moment without coordinates (the place's type stands for them, where the user named it), with what the conversation put right
    about the place, and with what the words say of it."""
    moment = locate(given, places_of(profile))
    if memory.place is not None:
        moment = replace(moment, place=Place(memory.place))
    return merge_moment(moment, moment_hints(text, now=now)) if text else moment


def what_was_taught(request: Request, correction: Correction | None, box: Toolbox) -> tuple[str, str] | None:
    """The message before a correction, with the scene it meant: an example for this user."""
    if correction is None or correction.moved or correction.reading.scene is None or request.user_id is None or not request.may_write:
        return None
    last = box.store.turns.last(request.conversation_id, before=request.turn_id)
    return (str(last["message"]), correction.reading.scene) if last and last["message"] else None


def may_repeat(history: tuple[Event, ...], now_s: float, known: bool, allowed: NDArray[np.bool_], box: Toolbox) -> NDArray[np.bool_]:
    """bool (n_items,): what has not been consumed, or may come again by the store's rules; only what the user liked where something
    `known` is asked for and any of that is `allowed`."""
    worth = box.collaborative.worth
    liked = known_rows(history, box.catalogue, worth) if known else np.zeros(box.catalogue.n, dtype=np.bool_)
    if (liked & allowed).any():
        return liked
    return ~repeats_of(box.store.path).barred(history, box.catalogue, worth, now_s=now_s)


def _without(text: str, matches: Sequence[TitleMatch]) -> str:
    """The text without the titles in it: "something like Home Alone" says nothing of being at home alone."""
    for match in reversed(matches):
        text = f"{text[: match.start]}it{text[match.end :]}"
    return text


def read_scene(
    request: Request, text: str, moment: Moment, box: Toolbox, memory: Memory, *, profile: Profile, correction: Correction | None
) -> SceneReading:
    """The scene that the user named, else the one they put right (in this conversation, unless their words now clearly say another),
    else the recognised one, else the conversation's last one; NotFound for an unknown name."""
    if request.scene is not None:
        name = box.pack.get(request.scene).name
        return SceneReading(name, 1.0, {name: 1.0}, (Signal("named", name, 1.0),))
    if correction is not None:
        return correction.reading
    if memory.corrected in box.pack.names:
        said = box.recogniser.recognise(text, Moment())
        # Signals that were wrong about the scene have no say in the next one.
        return certain(str(memory.corrected)) if said.scene is None or said.probability < CLEARLY else said
    if goes_on(memory, moment, request.now_s) and memory.scene in box.pack.names:
        said = box.recogniser.recognise(text, Moment())
        if said.scene is None or said.probability < CLEARLY:  # the words say nothing of a scene, and the moment is as it was
            kept = Signal("conversation", str(memory.scene), 1.0)
            return SceneReading(memory.scene, 1.0, {str(memory.scene): 1.0}, (kept,))
    past = box.store.turns.scenes_of(request.user_id, last=PAST_TURNS) if request.user_id else {}
    return box.recogniser.recognise(text, moment, past=past, taught=taught_by(profile))


def goes_on(memory: Memory, moment: Moment, now_s: float) -> bool:
    """Whether the moment is that of the conversation's last turn: the same device and place, at most three hours later."""
    if memory.moment is None:
        return False
    device, place, time_s = moment_key(moment, now_s)
    return memory.moment[:2] == (device, place) and 0 <= time_s - memory.moment[2] <= SAME_MOMENT_S


def moment_key(moment: Moment, now_s: float) -> tuple[str | None, str | None, float]:
    """What tells one moment from the next: device, type of place, and local time in unix seconds."""
    place = moment.place.type if moment.place else None
    return moment.device, place, moment.local_time.timestamp() if moment.local_time else now_s


def without_circumstances(reading: Reading, scene: SceneReading, box: Toolbox) -> Reading:
    """The reading without wishes that only say what the moment is like: "on the train to work" does not ask for something about trains.

    A value counts as circumstance where its words stand in the examples of the scene that the words made out.
    """
    if scene.scene is None or not any(signal.name == "words" and signal.share > 0 for signal in scene.signals):
        return reading
    spoken = " ".join(box.pack.get(scene.scene).examples).casefold()

    def is_circumstance(name: str, value: str) -> bool:
        return name == "topic" and re.search(rf"\b{re.escape(value.rstrip('s'))}", spoken) is not None

    wishes = {name: {v: weight for v, weight in values.items() if not is_circumstance(name, v)} for name, values in reading.wishes.items()}
    return replace(reading, wishes={name: values for name, values in wishes.items() if values})


def imply_domains(reading: Reading, mentioned: tuple[ItemId, ...], box: Toolbox) -> Reading:
    """A wish for the kind of items that the words imply: strong for that of an item that is named ("like Fargo" is asked of films), soft
    where nearly all items of a genre are of one kind ("a documentary"). Kinds that are named outright need none."""
    if reading.domains_only or reading.domains_added:
        return reading
    columns, implied = box.catalogue.columns, dict[str, float]()
    for value in reading.wishes.get("genre", ()):
        having = columns.having("genre", {value})
        most = IMPLIED_SHARE * max(int(having.sum()), 1)
        implied |= {domain: IMPLIED_WISH for domain in columns.domains if having[columns.in_domains({domain})].sum() >= most}
    implied |= {box.catalogue.items[row].domain: NAMED_WISH for row in box.catalogue.rows(mentioned)}
    return replace(reading, wishes={**reading.wishes, "domain": implied}) if implied else reading


def unknown_names(text: str, box: Toolbox) -> tuple[str, ...]:
    """People that the message asks for ("anything by Alfred Hitchcock") and of whom the catalogue knows nothing."""
    names = [match[1].strip() for match in _PERSON.finditer(text)]
    return tuple(
        name for name in dict.fromkeys(names) if not box.catalogue.find_values(name) and not box.catalogue.find_titles(f"like {name}")
    )


def join_constraints(
    intent: str, reading: Reading, profile: Profile, memory: Memory, referred: tuple[ItemId, ...], box: Toolbox
) -> tuple[Constraints, tuple[str, ...]]:
    """Everything that must hold: standing rules, what this conversation ruled out, what the message says, how it changes the last list."""
    standing = Constraints()
    ban: dict[str, frozenset[str]] = {}
    for taste in profile.dislikes:
        if taste.attribute == "item":
            standing = replace(standing, ban_items=standing.ban_items | {ItemId(taste.value)})
        elif taste.locked:
            ban[taste.attribute] = ban.get(taste.attribute, frozenset()) | {taste.value.casefold()}
    joined = (
        standing_rules(profile)
        .merge(replace(standing, ban=ban))
        .merge(memory.constraints(lifted=reading.wishes))
        .merge(reading.constraints)
    )
    if intent == "reject":
        joined = joined.merge(Constraints(ban_items=frozenset(referred)))
    refinement, notes = refine(intent, memory, box.catalogue)
    if joined.domains and refinement.domains:  # of a list of several kinds only those that are asked for
        refinement = replace(refinement, domains=refinement.domains & joined.domains or joined.domains)
    return joined.merge(refinement), notes


def standing_rules(profile: Profile) -> Constraints:
    """The limits that a profile holds: max_duration_min, max_price_cents, min_year, max_year; what is no number is passed over."""
    limits = {name: float(value) for name, value in profile.constraints.items() if re.fullmatch(r"\d{1,9}(\.\d+)?", value)}
    whole = {name: int(value) for name, value in limits.items()}
    return Constraints(
        max_duration_min=limits.get("max_duration_min"),
        max_price_cents=whole.get("max_price_cents"),
        min_year=whole.get("min_year"),
        max_year=whole.get("max_year"),
    )


def fits_scene(scene: SceneDef | None, moment: Moment, reading: Reading, box: Toolbox) -> NDArray[np.bool_]:
    """bool (n_items,): what the scene does not ban and the time left allows. Kinds of items that are taken in parts (books, albums,
    courses) fit any time; words win over the scene, so a film asked for in a scene without films stays."""
    catalogue = box.catalogue
    mask = np.ones(catalogue.n, dtype=np.bool_)
    if scene is not None:
        wished = {(name, value) for name, values in reading.wishes.items() for value in values}
        ban = {name: frozenset(v.casefold() for v in values if (name, v.casefold()) not in wished) for name, values in scene.ban.items()}
        asked = reading.domains_only | reading.domains_added
        excluded = frozenset(domain for domain, weight in scene.domains.items() if weight == 0 and domain not in asked)
        mask &= catalogue.allowed(Constraints(ban=ban, exclude_domains=excluded, available_only=False))
    wanted = catalogue.columns.in_domains(reading.domains_only | reading.domains_added)
    at_once, minutes = ~catalogue.columns.in_domains(box.pack.in_parts), catalogue.columns.duration_min
    if moment.available_min is not None:
        mask &= ~(at_once & (minutes > moment.available_min))
    if scene is not None and scene.max_duration_min is not None:  # a film asked for in a lunch break is longer than that
        mask &= ~(at_once & ~wanted & (minutes > scene.max_duration_min))
    return mask
