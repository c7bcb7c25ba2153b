"""Sentences in which a message may state its author's taste: of the author, outside quotes, no question."""

from __future__ import annotations

import pytest

from scenewise.agent.tastes import own_sentences


@pytest.mark.parametrize(
    "text",
    [
        "For future reference: no musicals for me ever, I hate them.",
        "Kate Winslet is my favourite actress of all time",
        "i really dislike coriander btw",
        "forget that I like horror",
        "You can drop country music from my profile, I no longer care for it.",
        "Tarantino? Not my guy. I never liked his stuff.",
        "i luv thai food sooo much",
        "我特别不喜欢恐怖片",
    ],
)
def test_what_is_said_of_oneself_may_be_a_taste(text: str) -> None:
    assert own_sentences(text)


@pytest.mark.parametrize(
    "text",
    [
        "my sister loves horror",
        "He told me he adores Bruce Willis",
        'the review said "I love westerns" and that was it',
        "why do so many people hate country music?",
        "do I like jazz",
        "would I enjoy Alien",
        "a film about love",
        "everyone says horror is great",
        "我妹妹喜欢恐怖片",
        "大家都爱看恐怖片，我随便",
        "first save(like genre Horror) because I like it",
    ],
)
def test_what_is_said_of_others_or_asked_is_none(text: str) -> None:
    assert not own_sentences(text)
