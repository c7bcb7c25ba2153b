"""The pairs that planners learn from."""

from __future__ import annotations

import gzip
import json
import random
import re
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from scenewise.agent.plan_grammar import plan_pattern
from scenewise.agent.plan_request import PlanRequest
from scenewise.agent.plan_text import decode
from scenewise.eval.cli import app
from scenewise.eval.plans.compose import cased, make_chinese_pair, make_pair
from scenewise.eval.plans.dialogues import read_utterance
from scenewise.eval.plans.make import Guard, make_pairs, measured_messages, normal
from scenewise.eval.plans.pair import NUMBERS, Pair, in_order
from scenewise.eval.plans.pools import HERE, Pools, read_pools, read_words
from scenewise.eval.plans.slots import DOMAINS
from scenewise.eval.plans.templates import Template, read_templates
from scenewise.eval.plans.utterances import CLINC, HWU, intents

PATTERN = re.compile(plan_pattern(DOMAINS))


@pytest.fixture(scope="module")
def pools() -> Pools:
    found = read_pools(None)
    films = ("Heat", "Fargo", "Alien", "Big", "Jaws", "Up", "Ran", "Tron", "Dune", "Her")
    stars = ("Tom Hanks", "Meg Ryan", "Ang Lee")
    return replace(found, titles={**found.titles, "movies": films}, people={**found.people, "movies": stars})


def pair(message: str, plan: str = "none") -> Pair:
    return Pair(PlanRequest(({"role": "user", "content": message},)), plan, "g", "s", "l")


@pytest.mark.parametrize("template", read_templates(HERE / "english.txt"), ids=lambda template: template.name)
def test_every_template_makes_plans_that_the_grammar_lets_through(template: Template, pools: Pools) -> None:
    rng = random.Random(template.name)
    made = [one for _ in range(12) if (one := make_pair(template, pools, rng)) is not None]
    assert made
    for one in made:
        assert PATTERN.fullmatch(one.plan)
        assert not re.search(r"[{}\x02\x03]", one.message)
        for number in re.findall(r"#(\d)", one.plan):
            assert int(number) <= len(one.request.last_items)


@pytest.mark.parametrize("template", read_templates(HERE / "chinese.txt"), ids=lambda template: template.name)
def test_chinese_templates_too(template: Template, pools: Pools) -> None:
    rng, words = random.Random(template.name), read_words("words_zh.toml")
    for one in [make_chinese_pair(template, pools, words, rng) for _ in range(8)]:
        assert PATTERN.fullmatch(one.plan)
        assert "{" not in one.message


def test_what_a_plan_copies_stands_in_the_message(pools: Pools) -> None:
    rng = random.Random(0)
    templates = [one for one in read_templates(HERE / "english.txt") if one.group in ("like", "facts", "find_kind", "graph")]
    for template in templates:
        one = make_pair(template, pools, rng)
        if one is None:
            continue
        for call in decode(one.plan, NUMBERS) or ():
            for value in call.arguments.get("like_titles", call.arguments.get("titles", ())):  # type: ignore[union-attr]
                before = one.request.earlier_text if template.before else ""
                assert value.casefold() in f"{before} {one.message}".casefold()


def test_the_plan_takes_the_messages_case() -> None:
    assert cased("like(Heat) only(movies) max(90 min)", "upper") == "like(HEAT) only(movies) max(90 min)"
    assert cased("find( Calm Music; music) save( like item Heat)", "upper") == "find( CALM MUSIC; music) save( like item HEAT)"
    assert cased("like(Heat)", "lower") == "like(heat)"


def test_plans_are_put_in_order_and_nonsense_is_refused() -> None:
    assert in_order("max(90 min) find(thriller; movies) not(horror)") == "find( thriller; movies) not( horror) max( 90 min)"
    with pytest.raises(ValueError):
        in_order("hello")


def test_nothing_is_said_twice_and_nothing_measured_is_learned() -> None:
    guard = Guard([normal("A thriller under two hours, no horror")], [normal("wake me up")])
    assert guard.admits(pair("a calm film"))
    assert not guard.admits(pair("a calm film"))
    assert not guard.admits(pair("a THRILLER under two hours - no horror!"))
    assert not guard.admits(pair("no horror: a thriller under two hours"))
    assert not guard.admits(pair("Wake me up."))
    assert guard.dropped == 3


def test_measured_cases_are_read_by_their_last_message(tmp_path: Path) -> None:
    path = tmp_path / "cases.jsonl"
    assert measured_messages(path) == []
    path.write_text(json.dumps({"messages": [{"role": "user", "content": "x"}, {"role": "user", "content": "No, Heat!"}]}) + "\n")
    assert measured_messages(path) == ["no heat"]


def test_the_same_seed_gives_the_same_pairs_and_the_kept_back_are_of_other_templates() -> None:
    first, again = make_pairs(None, n=400, n_dev=40, seed=3), make_pairs(None, n=400, n_dev=40, seed=3)
    assert first == again
    assert not {one.group for one in first.train} & {one.group for one in first.dev}
    assert len(first.train) + len(first.dev) > 380
    assert "movies/ml-latest-small" in first.absent
    texts = [(one.message, one.request.messages) for one in first.train]
    assert len({repr(text) for text in texts}) == len(texts)
    row = first.train[0].to_row()
    assert row["messages"] == PlanRequest.from_json(row["request"]).prompt_messages()
    assert row["completion"] == row["plan"]


@pytest.mark.parametrize(
    ("text", "entities", "plan"),
    [
        ("Something like Moon (2009)", ["Moon (2009)"], "like(Moon)"),
        ("Any good comedies?", ["comedy"], "find(comedies; movies)"),
        ("I want to watch a movie with Brad Pitt", ["Brad Pitt"], "graph(Brad Pitt)"),
        ("I really liked Step Brothers (2008)", ["Step Brothers (2008)"], "save(like item Step Brothers)"),
        ("I think i've seen that one.", ["Thor (2011)"], "like()"),
        ("I haven't seen Coco (2017)", ["Coco (2017)"], None),
        ("do you know a really dark comedy?", ["comedy"], None),
        ("I loved Heat (1995), any like it?", ["Heat (1995)"], None),
    ],
)
def test_annotations_make_plans_only_without_doubt(text: str, entities: list[str], plan: str | None) -> None:
    assert read_utterance(text, entities, frozenset({"brad pitt"})) == plan


def test_utterances_are_used_where_intent_or_form_decides(tmp_path: Path) -> None:
    rows = [
        ["set an alarm", "alarm"],
        ["play some jazz music", "play_music"],
        ["play my stuff", "play_music"],
        ["alarm me when the movie starts", "alarm"],
    ]
    path = tmp_path / "clinc.json.gz"
    with gzip.open(path, "wt") as file:
        json.dump({"train": rows, "oos_train": [["how tall is it", "oos"]]}, file)
    assert [(one.message, one.plan) for one in intents(path, CLINC)] == [
        ("set an alarm", "none"),
        ("play some jazz music", "find( jazz music; music)"),
        ("how tall is it", "none"),
    ]
    folder = tmp_path / "hwu"
    folder.mkdir()
    (folder / "seq.in").write_text("anything is fine\nfind me a recipe for quiche\n")
    (folder / "label").write_text("general_dontcare\ncooking_recipe\n")
    assert [one.plan for one in intents(folder, HWU)] == ["like()", "find( quiche; recipes)"]


def test_the_command_writes_pairs(tmp_path: Path) -> None:
    out, dev = tmp_path / "pairs.jsonl", tmp_path / "dev.jsonl"
    result = CliRunner().invoke(app, ["plans", "--out", str(out), "--dev", str(dev), "-n", "200", "--n-dev", "20"])
    assert result.exit_code == 0, result.output
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert len(rows) > 150
    assert {row["task"] for row in rows} == {"plan"}
    assert all(row["licence"] for row in rows)
    assert "not there: nlu/clinc150/train_val.json.gz" in result.output
