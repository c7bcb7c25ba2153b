"""An LLM that writes: the grammar comes from the schema, and whatever it writes is only ever a claim."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from scripted import ScriptedReader

from scenewise.tools.graph.extraction.claims import Claim, Text, prove
from scenewise.tools.graph.extraction.reader import Answer
from scenewise.tools.graph.extraction.writing import WritingExtractor, grammar
from scenewise.tools.graph.schema import load_schema

BAG = Text("item:a", "products", "A beige canvas bag.")
FILM = Text("item:b", "movies", "A cop in Boston.")
ANSWER = json.dumps({"edges": [{"evidence": "A beige canvas bag", "relation": "has_color", "value": "beige"}]})


def test_the_grammar_allows_the_relations_of_the_kind_of_item_only() -> None:
    reader = ScriptedReader(lambda ask: Answer('{"edges":[]}'))
    WritingExtractor(reader, load_schema()).extract([BAG, FILM])
    enums = [ask.grammar["properties"]["edges"]["items"]["properties"]["relation"]["enum"] for ask in reader.asked if ask.grammar]
    assert enums == [["has_brand", "has_color", "has_material", "has_use"], ["about", "has_mood", "has_role", "set_in"]]
    properties = grammar(["a"])["properties"]["edges"]["items"]["properties"]
    assert properties["value"]["maxLength"] == 60


def test_what_all_questions_share_comes_first() -> None:
    reader = ScriptedReader(lambda ask: Answer('{"edges":[]}'))
    WritingExtractor(reader, load_schema()).extract([BAG, Text("item:c", "products", "Another.")])
    first, second = (ask.messages for ask in reader.asked)
    assert first[:-1] == second[:-1]
    assert str(first[-1]["content"]).split("<data>")[0] == str(second[-1]["content"]).split("<data>")[0] != ""


def test_an_answer_becomes_claims_with_its_cost() -> None:
    reader = ScriptedReader(lambda ask: Answer(ANSWER, certainty=0.7, tokens_in=50, tokens_out=9))
    (found,) = WritingExtractor(reader, load_schema()).extract([BAG])
    assert found.claims == (Claim("has_color", "color", "beige", "A beige canvas bag", 0.7),)
    assert (found.tokens_in, found.tokens_out, found.error) == (50, 9, "")


@pytest.mark.parametrize(
    "garbage", ["", "no", "[1, 2", '{"edges": 3}', '{"edges":[{"relation":["a"],"value":3}]}', "\x00" * 30_000, '{"value":' * 5_000]
)
def test_garbage_gives_no_edge(garbage: str) -> None:
    (found,) = WritingExtractor(ScriptedReader(lambda ask: Answer(garbage, certainty=1.0)), load_schema()).extract([BAG])
    assert prove(found.claims, BAG, load_schema())[0] == []


def test_what_is_whole_of_an_answer_that_was_cut_is_taken() -> None:
    (found,) = WritingExtractor(ScriptedReader(lambda ask: Answer(ANSWER[:-2] + ',{"evid', certainty=1.0)), load_schema()).extract([BAG])
    assert [claim.value for claim in found.claims] == ["beige"]


def test_half_a_batch_leaves_the_other_half_marked() -> None:
    found = WritingExtractor(ScriptedReader(lambda ask: Answer(ANSWER, certainty=1.0), at_most=1), load_schema()).extract([BAG, FILM])
    assert [one.error for one in found] == ["", "no answer"]
