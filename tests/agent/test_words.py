"""Whatever moves a score has a name for people."""

from scenewise import Agent
from scenewise.agent.words import SOURCES
from scenewise.tools.collaborative import collaborative


def test_every_source_has_words() -> None:
    assert {*collaborative.SOURCES, "trending"} <= {*SOURCES}
    assert len({*SOURCES.values()}) == len(SOURCES)


def test_all_that_a_turn_adds_up_has_words(small_agent: Agent) -> None:
    for message in ("on the train to work", "a funny film under two hours", "date night"):
        for item in small_agent.turn(message, "ann", k=10).items:
            assert {*item.contributions} <= {*SOURCES}
