"""Pairs from the utterances of CLINC150 and HWU64: an intent that is no recommendation says so; others count where their form decides."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from pathlib import Path

from scenewise.agent.plan_request import PlanRequest
from scenewise.eval.plans.pair import Pair, in_order

CLINC, HWU = "CLINC150 train", "HWU64 train"
LICENCES = {CLINC: "CC BY 3.0", HWU: "CC BY 4.0"}
PLAIN = frozenset({"thank_you", "goodbye", "greeting"})
NEAR_SCOPE = frozenset(
    """meal_suggestion recipe play_music next_song update_playlist travel_suggestion restaurant_suggestion restaurant_reviews
    ingredients_list order tell_joke cook_time maybe no yes cancel shopping_list shopping_list_update ingredient_substitution food_last
    nutrition_info calories what_song repeat recommendation_movies recommendation_events recommendation_locations play_radio
    play_audiobook play_podcasts play_game music_query music_likeness music_settings cooking_recipe general_quirky general_dontcare
    general_negate general_repeat general_commandstop takeaway_order takeaway_query news_query qa_factoid social_query lists_query
    lists_createoradd lists_remove redeem_rewards order_status fun_fact definition""".split()  # noqa: SIM905
)
"""Intents whose utterances may ask for a recommendation, or speak of one; the others are never one."""
_TOUCHES = re.compile(
    r"\b(?:recommend|suggest|movies?|films?|songs?|music|books?|read|recipes?|cook|dinner|lunch|meal|restaurant|games?|play|watch|workout"
    r"|exercise|apps?|courses?|gift|buy|album|sing|listen|something|anything|find me|released|director|actor|tv|shows?|cinema|theat\w+"
    r"|concert|band|singer|artist|star|series|joke)\b",
    re.IGNORECASE,
)
_ANY = re.compile(r"\b(?:any|anything|whatever|no idea|don'?t (?:know|mind|care)|either)\b")
_RECIPE_FOR = re.compile(r"recipes? (?:for|of) (?:a |some |the )?([\w' -]{3,30})$")
_HOW_TO_COOK = re.compile(r"how (?:do|can|would|should) (?:i|you|we) (?:make|cook|bake|prepare) (?:a |some |the )?([\w' -]{3,30})")
_USED = re.compile(r"\b(?:(?:i|you|we) can|use)\b")
_CUISINE = re.compile(
    r"\b((?:italian|mexican|thai|indian|chinese|french|greek|korean|japanese|vietnamese|spanish|german|american|irish|moroccan)"
    r" (?:meal|dish|food|cuisine|dinner|recipe)s?)\b"
)
_PLAY = r"(?:please |can you |could you |i want to |let me )*(?:play|hear|start|put on)(?: me)? ?"
_PLAY_GENRE = re.compile(
    _PLAY + r"(?:some |any |a )?((?:jazz|rock|pop|classical|country|blues|hip hop|rap|metal|reggae|disco|folk|electronic|dance|punk|soul"
    r"|techno|indie|romantic|relaxing|calm|happy|sad|soft|slow)(?: (?:music|songs?|tunes?))?)(?: please)?"
)
_PLAY_ARTIST = re.compile(
    _PLAY + r"(?:some |a |any |the )?(?:music|songs?|something|album|tunes?|tracks?) (?:by|from|of) ([a-z' .&-]{4,30}?)(?: please)?"
)
_NOBODY = re.compile(r"\b(?:my|the|playlist|phone|radio|spotify|pandora|movie|last|year)\b")


def intents(path: Path, source: str) -> Iterator[Pair]:
    """Read CLINC150's file or HWU64's folder of one split."""
    for text, label in _clinc(path) if path.is_file() else _hwu(path):
        plan = _by_form(text, label) if label in NEAR_SCOPE else "none" if label in PLAIN or not _TOUCHES.search(text) else None
        if plan is not None:
            request = PlanRequest(({"role": "user", "content": text},))
            yield Pair(request, in_order(plan), f"{source}/{label}", source, LICENCES[source])


def _by_form(text: str, label: str) -> str | None:
    """The plan of an utterance of an intent near recommendations, None where its form leaves a doubt."""
    low = text.casefold().strip(" ?.!")
    if label == "general_dontcare":
        return "like()" if _ANY.search(low) else None
    if label in ("recipe", "cooking_recipe"):
        dish = None if _USED.search(low) else _RECIPE_FOR.search(low) or _HOW_TO_COOK.fullmatch(low)
        return f"find({dish[1]}; recipes)" if dish else None
    if label == "meal_suggestion":
        cuisine = _CUISINE.search(low)
        return f"find({cuisine[1]}; recipes)" if cuisine else None
    if label == "play_music":
        if genre := _PLAY_GENRE.fullmatch(low):
            return f"find({genre[1]}; music)"
        artist = _PLAY_ARTIST.fullmatch(low)
        return f"graph({artist[1]})" if artist and not _NOBODY.search(artist[1]) else None
    outside = label in ("tell_joke", "fun_fact", "definition", "order_status", "redeem_rewards")
    return "none" if outside and not re.search(r"\b(?:movie|film|book|song|recommend|suggest)", low) else None


def _clinc(path: Path) -> list[tuple[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        data = json.load(file)
    return [(text, label) for text, label in (*data["train"], *data["oos_train"])]


def _hwu(folder: Path) -> list[tuple[str, str]]:
    texts, labels = ((folder / name).read_text(encoding="utf-8").splitlines() for name in ("seq.in", "label"))
    return list(zip(texts, labels, strict=True))
