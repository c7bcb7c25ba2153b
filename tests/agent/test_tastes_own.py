"""Sentences in which a message may state its author's taste: of the author, outside quotes, no question."""

from __future__ import annotations

import pytest

from scenewise.agent.tastes import actions_of, own_sentences, own_words


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
        "add jazz to my likes",
        "把恐怖片从我的喜好里删掉",
    ],
)
def test_what_is_said_of_oneself_may_be_a_taste(text: str) -> None:
    assert own_sentences(text)


@pytest.mark.parametrize(
    ("text", "action"),
    [
        ("never liked Jim Carrey. Something funny without him?", "dislike"),
        ("Never been a fan of westerns", "dislike"),
        ("not a fan of musicals", "dislike"),
        ("no fan of rap, sorry", "dislike"),
        ("can't stand country music", "dislike"),
        ("hate clowns", "dislike"),
        ("Hated Titanic. Anything else?", "dislike"),
        ("Horror isn't my thing", "dislike"),
        ("horror is not my cup of tea", "dislike"),
        ("I can't handle horror", "dislike"),
        ("I'm allergic to nuts", "dislike"),
        ("Ulysses bored me", "dislike"),
        ("不喜欢吃羊肉，膻", "dislike"),
        ("受不了香菜", "dislike"),
        ("对海鲜过敏", "dislike"),
        ("big fan of Kubrick here", "like"),
        ("Huge Radiohead fan", "like"),
        ("loved Inception, more please", "like"),
        ("can't get enough of jazz", "like"),
        ("adore Miyazaki", "like"),
        ("I'm a sucker for romcoms", "like"),
        ("Jazz is my jam", "like"),
        ("I live for true crime", "like"),
        ("最喜欢周杰伦了", "like"),
        ("超爱科幻片", "like"),
        ("本人偏爱悬疑片", "like"),
    ],
)
def test_whoever_leaves_the_subject_out_means_oneself(text: str, action: str) -> None:
    (sentence, *_) = own_sentences(text)
    assert actions_of(sentence) == {action}


@pytest.mark.parametrize(
    "text",
    [
        "I'd like a comedy",
        "I would really love some jazz",
        "songs I might like",
        "what do you think I'd enjoy",
        "imagine I loved horror",
        "I like your style",
        "I want a love song",
        "recommend me a love story",
        "loved by critics",
        "hate crimes, a documentary",
        "love poems",
        "like the second one",
        "films that people love",
        "孩子喜欢的动画片",
        "适合喜欢悬疑的人",
        "你喜欢爵士吗",
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


def test_what_others_like_stands_apart() -> None:
    assert own_sentences("My sister loves horror but I hate westerns") == [own_words("My sister loves horror but I hate westerns")]
    assert "horror" not in own_words("My sister loves horror but I hate westerns")
    for text in ("she loves horror, something for her", "my kids love dinosaurs, what could we watch", "I love jazz and so does he"):
        assert own_words(text) == text


def test_what_is_named_stays_in_the_sentence() -> None:
    assert own_sentences("I hate love stories") == ["I hate love stories"]
    assert own_sentences("我讨厌爱情片") == ["我讨厌爱情片"]
