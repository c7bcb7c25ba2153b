"""Recommending out of conversations: names in words, neighbours that leave the own conversation out, and a fusion that learns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from scenewise.store.errors import InputError
from scenewise.tools.dialogue.domain import Context, Domain, Example
from scenewise.tools.dialogue.mentions import Mentions, NameFinder
from scenewise.tools.dialogue.past import Past
from scenewise.tools.dialogue.recommender import DialogueRecommender
from scenewise.tools.dialogue.reranker import RerankerConfig

NAMES = ("Heat (1995)", "Ronin (1998)", "Big", "Cars", "comedy", "crime", "Robert De Niro", "Tom Hanks")


class Letters:
    """An encoder that counts letters."""

    name, dim = "letters", 26

    def encode(self, texts: Sequence[str]) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
        rows = np.array([[text.lower().count(chr(97 + i)) for i in range(26)] for text in texts], dtype=np.float32).reshape(-1, 26)
        return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9).astype(np.float32)


def world() -> Domain:
    facts = np.array([(0, 0, 5), (0, 1, 6), (1, 0, 5), (1, 1, 6), (2, 0, 4), (2, 1, 7), (3, 0, 4)])
    years = np.array([1995, 1998, np.nan, 2006], dtype=np.float32)
    return Domain(NAMES, np.arange(4), ("genre", "star"), facts[:, 0], facts[:, 1], facts[:, 2], NAMES[:4], years)


def turn(dialogue: str, text: str, *targets: str, entities: tuple[str, ...] = ()) -> Example:
    return Example(Context(dialogue, (text,), entities), targets, "")


def many() -> list[Example]:
    """Whoever names De Niro is given Ronin, whoever names Hanks is given Big."""
    return [
        turn(str(i), text, target, entities=(entity,))
        for i in range(12)
        for text, target, entity in [
            ("films with Robert De Niro", "Ronin (1998)", NAMES[6]),
            ("something with Tom Hanks", "Big", NAMES[7]),
        ][i % 2 : i % 2 + 1]
    ]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("have you seen Heat (1995) with robert de niro?", ["Heat (1995)", "Robert De Niro"]),
        ("a big fan of comedies", ["comedy"]),  # "big" in small letters is no title, and kinds may stand in the plural
        ("I saw Big", ["Big"]),
        ("Heat", []),  # this film is named with its year
        ("", []),
    ],
)
def test_names_are_found_as_people_write_them(text: str, names: list[str]) -> None:
    assert [NAMES[entity] for entity in NameFinder(world()).find(text)] == names


def test_older_mentions_count_less_and_found_ones_less_than_annotated_ones() -> None:
    domain = world()
    said = Mentions.of([Context("a", ("I saw Big", "and?", "crime with Tom Hanks"), ("Tom Hanks",))], domain, NameFinder(domain))
    row = said.all.toarray()[0]
    assert row[7] == pytest.approx(1.0)
    assert row[5] == pytest.approx(0.6)
    assert row[2] == pytest.approx(0.7**2 * 0.6)
    assert said.last.toarray()[0].tolist() == [0, 0, 0, 0, 0, 1, 0, 1.5]
    assert said.near.toarray()[0].tolist() == pytest.approx([0, 0, 1 / 3, 0])
    assert said.seen.nnz == 0  # Big was found, not annotated


def test_the_past_is_counted_without_the_own_conversation() -> None:
    domain, finder = world(), NameFinder(world())
    examples = [
        turn("a", "Tom Hanks", "Big", entities=("Tom Hanks",)),
        turn("a", "Tom Hanks", "Cars", entities=("Tom Hanks",)),
        turn("b", "Tom Hanks", "Big", entities=("Tom Hanks",)),
    ]
    said = Mentions.of([one.context for one in examples], domain, finder)
    vectors = (Letters().encode(said.last_text), Letters().encode(said.recent_text))
    found = Past(domain, examples, said, finder=finder, vectors=vectors).signals(said, vectors)
    # of "a": once named in "b", followed by Big: 1 / (1 + 2); of "b": named twice in "a", once followed by each: 1 / (2 + 2)
    assert np.allclose(found["past.all"][:, 2:], [[1 / 3, 0], [1 / 3, 0], [1 / 4, 1 / 4]])
    assert np.allclose(found["past.popular"][:, 2:], [[1 / 3, 0], [1 / 3, 0], [1 / 3, 1 / 3]])
    assert found["meaning.last"][0].tolist() == pytest.approx([0, 0, 1, 0])
    stranger = Mentions.of([Context("c", ("Tom Hanks",), ("Tom Hanks",))], domain, finder)
    asked = (Letters().encode(stranger.last_text), Letters().encode(stranger.recent_text))
    one = Past(domain, examples, said, finder=finder, vectors=vectors).signals(stranger, asked)
    assert one["past.all"][0, 2:].tolist() == pytest.approx([2 / 5, 1 / 5])


def test_signals_of_a_learned_turn_are_those_of_a_past_without_its_conversation() -> None:
    domain, finder = world(), NameFinder(world())
    examples = [
        turn("a", "Tom Hanks", "Big", entities=("Tom Hanks", "Cars")),
        turn("a", "comedy then", "Cars", entities=("Tom Hanks", "Big", "comedy")),
        turn("b", "a comedy", "Big", entities=("comedy", "Cars")),
        turn("c", "Big", "Ronin (1998)", entities=("Big", "Heat (1995)")),
    ]

    def signals(learned: list[Example]) -> dict[str, np.ndarray[tuple[int, int], np.dtype[np.float32]]]:
        said, asked = (Mentions.of([one.context for one in some], domain, finder) for some in (learned, examples[:1]))
        vectors, of_asked = ((Letters().encode(one.last_text), Letters().encode(one.recent_text)) for one in (said, asked))
        return Past(domain, learned, said, finder=finder, vectors=vectors).signals(asked, of_asked)

    within, without = signals(examples), signals(examples[2:])
    for name in ("past.last", "past.last_any", "past.all", "past.reply", "past.basket", "meaning.last", "meaning.recent"):
        assert without[name].any()
        assert np.allclose(within[name], without[name], atol=1e-6), name


def test_it_learns_what_follows_and_learns_the_same_again() -> None:
    config = RerankerConfig(hidden=4, epochs=30, learning_rate=3e-2)
    asked = [Context("new", ("I like Robert De Niro",), ("Robert De Niro",)), Context("new", ("I like Tom Hanks",), ("Tom Hanks",))]
    fitted = DialogueRecommender(world(), Letters(), config=config).fit(many())
    scores = fitted.scores(asked)
    assert scores.shape == (2, 4)
    assert scores.argmax(axis=1).tolist() == [1, 2]
    assert np.array_equal(DialogueRecommender(world(), Letters(), config=config).fit(many()).scores(asked), scores)


def test_what_cannot_be_done_is_said() -> None:
    empty = DialogueRecommender(world(), Letters())
    with pytest.raises(InputError):
        empty.fit([])
    with pytest.raises(InputError):
        empty.scores([Context("a", (), ())])


def test_an_empty_context_still_has_a_ranking() -> None:
    scores = DialogueRecommender(world(), Letters(), config=RerankerConfig(epochs=1)).fit(many()).scores([Context("x", (), ())])
    assert np.isfinite(scores).all()
