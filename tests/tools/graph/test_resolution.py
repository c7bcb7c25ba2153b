"""Names that mean the same, in five scripts."""

from __future__ import annotations

from scenewise.store.readings import Merge
from scenewise.tools.graph.aliases import load_aliases
from scenewise.tools.graph.resolution import alias_table, fold, resolve_names
from scenewise.tools.retrieval.encoders import Encoders


def pairs(merges: list[Merge]) -> set[tuple[str, str]]:
    return {(merge.node, merge.into) for merge in merges}


def test_spellings_of_one_name_are_joined_in_five_scripts(encoders: Encoders) -> None:
    nodes = ["place:New-York", "place:new york", "place:New York", "place:Café Noir", "place:cafe noir", "place:ＴＯＫＹＯ", "place:tokyo"]
    nodes += [
        "place:МОСКВА",
        "place:москва",
        "place:東京　駅",
        "place:東京 駅",
        "place:ΑΘΗΝΑ",
        "place:αθηνα",
        "place:القاهرة",
        "place:القاهرة",
    ]
    found = resolve_names(nodes, encoders, now_s=1.0)
    assert all(merge.decided_by == "spelling" and fold(merge.node) == fold(merge.into) for merge in found)
    assert {merge.into for merge in found} >= {"place:tokyo", "place:cafe noir", "place:москва"} - {merge.node for merge in found}
    assert len(found) == 7


def test_the_more_frequent_name_stays(encoders: Encoders) -> None:
    assert pairs(resolve_names(["role:The Cop", "role:cop", "role:The Cop"], encoders, now_s=1.0)) == {("role:cop", "role:The Cop")}


def test_types_numbers_and_short_names_are_kept_apart(encoders: Encoders) -> None:
    nodes = ["place:casino", "topic:casino", "topic:world war 1", "topic:world war 2", "role:cop", "role:cow", "role:nun", "role:gun"]
    assert resolve_names(nodes, encoders, now_s=1.0) == []


def test_meaning_decides_between_near_spellings(encoders: Encoders) -> None:
    found = resolve_names(
        ["role:detective", "role:detectives", "role:detective", "topic:friendship", "topic:ownership"], encoders, now_s=1.0
    )
    assert pairs(found) == {("role:detectives", "role:detective")}
    assert found[0].decided_by == "embedding"


def test_the_llm_is_asked_only_for_the_rest(encoders: Encoders) -> None:
    asked: list[tuple[str, str, str]] = []

    def judge(questions):  # type: ignore[no-untyped-def]
        asked.extend(questions)
        return [True] * len(questions)

    nodes = ["topic:bank robbery", "topic:bank robberies", "topic:bank robber", "topic:friendship", "topic:ownership"]
    found = resolve_names(nodes, encoders, judge=judge, now_s=1.0)
    assert all("ownership" not in pair for pair in asked)
    assert sum(merge.decided_by == "llm" for merge in found) <= len(asked)


def test_merges_become_aliases_of_the_graph() -> None:
    table = alias_table({"place:NYC": "place:New York", "topic:a": "mood:a"})
    assert table == {"place": {"nyc": "new york"}}
    aliases = load_aliases(table)
    assert aliases.canonical("place", "NYC") == "new york"
    assert aliases.canonical("genre", "Sci-Fi") == "science fiction"
