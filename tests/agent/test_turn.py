"""A turn, end to end, without an LLM and with a scripted one."""

from __future__ import annotations

import asyncio
import json
import threading
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from scenewise import Agent, InputError, Moment, NotAllowed, NotFound, Place, ScriptedModel, Settings, Step, StoreError, Turn
from scenewise.agent.model import Call
from scenewise.store.database import Database
from scenewise.store.errors import ModelError
from scenewise.store.types import UserId
from scenewise.tools.retrieval.encoders import Encoders

NOW = datetime(2025, 10, 6, 8, 10)
TRAIN = Moment(device="phone", local_time=NOW, place=Place(type="train", speed_mps=20.0))


def scripted(agent: Agent, model: ScriptedModel | None, **settings: object) -> Agent:
    """The same tools with another model."""
    other = object.__new__(Agent)
    other.__dict__.update(agent.__dict__)
    other.model = model
    other.settings = Settings(llm_off=model is None, **settings)  # type: ignore[arg-type]
    return other


def test_a_turn_reads_the_scene_plans_ranks_and_writes(small_agent: Agent) -> None:
    turn = small_agent.turn("on the train to work, phone, 25 minutes", "ann", TRAIN)
    assert turn.scene == "commute"
    assert {name for name, _, _ in turn.signals} >= {"words", "device", "time", "place"}
    assert len(turn.items) == 5
    assert len({item.item_id for item in turn.items}) == 5
    assert [item.score for item in turn.items] == sorted((item.score for item in turn.items), reverse=True)
    assert all(item.copy and item.reason and item.evidence for item in turn.items)
    assert turn.reply.split("\n")[1:] == [f"{place}. {item.title}: {item.copy}" for place, item in enumerate(turn.items, 1)]
    assert {call.name for call in turn.plan} >= {"collaborative_candidates", "query_graph"}
    assert all(call.asked_by == "policy" and call.status == "run" for call in turn.plan)
    assert turn.llm_rounds == 0


def test_the_record_is_kept_and_is_plain_json(small_agent: Agent) -> None:
    turn = small_agent.turn("a funny film", "dan")
    record = small_agent.store.turns.get(turn.turn_id)
    assert json.loads(json.dumps(record)) == record
    assert [item["item_id"] for item in record["items"]] == [item.item_id for item in turn.items]


def test_collaborative_taste_reaches_the_list(small_agent: Agent) -> None:
    turn = small_agent.turn("only films please", "ann", k=3)
    assert "film-2001" in [item.item_id for item in turn.items]


def test_what_the_user_has_rated_is_not_recommended(small_agent: Agent) -> None:
    turn = small_agent.turn("only films please", "ann", k=10)
    assert not {"film-alien", "film-blade-runner", "film-star-wars"} & {item.item_id for item in turn.items}


def test_why_the_second_one_is_answered_from_the_record(small_agent: Agent) -> None:
    first = small_agent.turn("a film for tonight", "eve")
    why = small_agent.turn("why the second one?", "eve", conversation_id=first.conversation_id)
    assert why.intent == "explain"
    assert [item.item_id for item in why.items] == [first.items[1].item_id]
    assert first.items[1].title in why.reply
    assert first.items[1].reason in why.reply
    assert why.plan == ()


def test_why_before_there_is_a_list_says_so(small_agent: Agent) -> None:
    turn = small_agent.turn("why the second one?", "eve")
    assert turn.reply


def test_not_that_one_again(small_agent: Agent) -> None:
    first = small_agent.turn("a film for tonight", "eve")
    second = small_agent.turn("not the first one again", "eve", conversation_id=first.conversation_id)
    third = small_agent.turn("a film for tonight", "eve", conversation_id=first.conversation_id)
    for turn in (second, third):
        assert first.items[0].item_id not in [item.item_id for item in turn.items]


@pytest.mark.parametrize(("text", "said"), [("something cheaper", "What those cost is not known to me"), ("便宜点的", "不知道那些的价格")])
def test_what_cannot_be_compared_is_said(small_agent: Agent, text: str, said: str) -> None:
    first = small_agent.turn("a film", "gus")
    second = small_agent.turn(text, "gus", conversation_id=first.conversation_id)
    assert second.reply.startswith(said)
    assert second.items
    assert not {item.item_id for item in first.items} & {item.item_id for item in second.items}
    assert not small_agent.turn("a film", "gus", conversation_id=first.conversation_id).reply.startswith(said)


@pytest.mark.parametrize("said", ["she's seen the second one", "my wife has already read number 2", "we've seen the second"])
def test_what_somebody_has_seen_goes_and_the_wish_stays(small_agent: Agent, said: str) -> None:
    first = small_agent.turn("only films please", "gus")
    then = small_agent.turn(said, "gus", conversation_id=first.conversation_id)
    assert then.intent == "reject"
    assert {item.domain for item in then.items} == {"movies"}
    assert first.items[1].item_id not in {item.item_id for item in then.items}
    assert not [item for item in then.items if first.items[1].title in f"{item.reason} {item.copy}"], "it is no example"


@pytest.mark.parametrize(
    ("said", "liked", "disliked"),
    [
        ("I hated the second one", set(), {1}),
        ("we didn't like number 2", set(), {1}),
        ("I really loved the first one", {0}, set()),
        ("not the second one again", set(), set()),
    ],
)
def test_a_taste_for_an_item_of_the_list_is_kept_and_the_wish_stays(
    own_store: Path, encoders: Encoders, said: str, liked: set[int], disliked: set[int]
) -> None:
    with Agent.open(own_store, settings=Settings(llm_off=True), encoders=encoders, clock=lambda: 1_760_000_000.0) as agent:
        first = agent.turn("only films please", "gus")
        then = agent.turn(said, "gus", conversation_id=first.conversation_id)
        profile = agent.store.profiles.get(UserId("gus"))
    ids = [item.item_id for item in first.items]
    assert {taste.value for taste in profile.likes if taste.attribute == "item"} == {ids[place] for place in liked}
    assert {taste.value for taste in profile.dislikes if taste.attribute == "item"} == {ids[place] for place in disliked}
    assert then.items[0].domain == "movies"
    assert liked or {item.domain for item in then.items} == {"movies"}
    assert not {ids[place] for place in disliked} & {item.item_id for item in then.items}


def test_who_has_the_turn_of_a_stream_may_read_no_further(small_agent: Agent) -> None:
    async def first_turn() -> Turn:
        parts = small_agent.astream("a film", "gus", conversation_id="read no further")
        while not isinstance(part := await anext(parts), Turn):
            pass
        return part

    async def both() -> tuple[Turn, Turn]:
        first = await first_turn()  # its stream is still open when the next message comes
        return first, await small_agent.aturn("why number 2?", "gus", conversation_id="read no further")

    first, then = asyncio.run(both())
    assert then.intent == "explain"
    assert first.items[1].title in then.reply


@pytest.mark.parametrize(
    "said", ["what can you do?", "Who are you", "hi, how does this work?", "are you a robot", "你是谁", "你能做什么？"]
)
def test_the_assistant_says_what_it_is(small_agent: Agent, said: str) -> None:
    first = small_agent.turn("a film", "gus")
    turn = small_agent.turn(said, "gus", conversation_id=first.conversation_id)
    assert (turn.intent, turn.items) == ("about", ())
    assert turn.reply.startswith(("I am a program", "我是一个推荐程序"))
    assert small_agent.turn("why the first one?", "gus", conversation_id=first.conversation_id).items, "the list is still there"


@pytest.mark.parametrize("said", ["what can you do with rice", "who are you reading", "help"])
def test_what_only_begins_like_it_is_a_request(small_agent: Agent, said: str) -> None:
    assert small_agent.turn(said, "gus").intent != "about"


def test_something_shorter_than_the_last_list(small_agent: Agent) -> None:
    first = small_agent.turn("only films please", "gus")
    lengths = sorted(small_agent.store.items.get(item.item_id).duration_min or 0 for item in first.items)
    second = small_agent.turn("something shorter", "gus", conversation_id=first.conversation_id)
    assert second.items
    assert all((small_agent.store.items.get(item.item_id).duration_min or 0) < lengths[len(lengths) // 2] for item in second.items)


def test_nothing_violent_and_something_to_read_as_well(small_agent: Agent) -> None:
    first = small_agent.turn("a film for tonight", "ann")
    turn = small_agent.turn("nothing violent, and something to read as well", "ann", conversation_id=first.conversation_id)
    domains = {item.domain for item in turn.items}
    assert "books" in domains
    assert len(domains) > 1
    violent = {"horror", "war", "crime", "thriller", "action"}
    for item in turn.items:
        values = {value.casefold() for value in small_agent.store.items.get(item.item_id).attributes.get("genre", ())}
        assert not values & violent
    again = small_agent.turn("only films please", "ann", conversation_id=first.conversation_id)
    for item in again.items:
        assert not {v.casefold() for v in small_agent.store.items.get(item.item_id).attributes.get("genre", ())} & violent


def test_a_contradiction_says_what_to_relax(small_agent: Agent) -> None:
    turn = small_agent.turn("a horror film from before 1900", "ann")
    assert turn.items == () or all((small_agent.store.items.get(item.item_id).year or 0) < 1900 for item in turn.items)
    empty = small_agent.turn("a film from before 1900", "ann")
    assert empty.items == ()
    assert "without" in empty.reply


def test_a_stated_taste_is_kept_and_only_then(own_store: Path, encoders: Encoders) -> None:
    with Agent.open(own_store, settings=Settings(llm_off=True), encoders=encoders) as agent:
        agent.turn("something funny", "ann")
        assert agent.store.profiles.get("ann").dislikes == ()  # type: ignore[arg-type]
        agent.turn("I hate horror", "ann")
        assert [(t.attribute, t.value.casefold()) for t in agent.store.profiles.get("ann").dislikes] == [("genre", "horror")]  # type: ignore[arg-type]


def test_an_event_counts_in_the_next_turn(own_store: Path, encoders: Encoders) -> None:
    with Agent.open(own_store, settings=Settings(llm_off=True), encoders=encoders) as agent:
        before = agent.turn("only films please", "newcomer", k=3)
        for item in ("film-fargo", "film-psycho"):
            agent.tell("newcomer", item, "rating", 5.0)
        after = agent.turn("only films please", "newcomer", k=3)
        assert "film-vertigo" in [item.item_id for item in after.items]
        assert before.items != after.items
        with pytest.raises(NotFound):
            agent.tell("newcomer", "film-unknown", "rating", 5.0)


def test_an_item_added_is_found_at_once(own_store: Path, encoders: Encoders) -> None:
    from scenewise import Item, ItemId

    with Agent.open(own_store, settings=Settings(llm_off=True), encoders=encoders) as agent:
        agent.store.items.upsert(
            [Item(ItemId("book-lighthouse"), "books", "The Zanzibar Lighthouse", text="A keeper counts ships on Zanzibar.")]
        )
        turn = agent.turn("a book about a lighthouse keeper on Zanzibar", "ann")
        assert "book-lighthouse" in [item.item_id for item in turn.items]
        agent.store.items.delete([ItemId("book-lighthouse")])
        turn = agent.turn("a book about a lighthouse keeper on Zanzibar", "ann")
        assert "book-lighthouse" not in [item.item_id for item in turn.items]


def test_conversations_survive_a_restart(own_store: Path, encoders: Encoders) -> None:
    with Agent.open(own_store, settings=Settings(llm_off=True), encoders=encoders) as agent:
        first = agent.turn("a film for tonight", "eve")
    with Agent.open(own_store, settings=Settings(llm_off=True), encoders=encoders) as agent:
        why = agent.turn("why the second one?", "eve", conversation_id=first.conversation_id)
        assert [item.item_id for item in why.items] == [first.items[1].item_id]


def test_another_users_conversation_is_refused(small_agent: Agent) -> None:
    first = small_agent.turn("a film for tonight", "eve")
    with pytest.raises(NotAllowed):
        small_agent.turn("why the second one?", "ann", conversation_id=first.conversation_id)
    with pytest.raises(NotAllowed):
        small_agent.turn("why the second one?", conversation_id=first.conversation_id)


def test_the_models_calls_run_and_the_policy_completes_them(small_agent: Agent) -> None:
    model = ScriptedModel(
        plans=[[Call("retrieve", {"query": "space film", "domain": "movies"}), Call("update_profile", {"action": "like"})]]
    )
    turn = scripted(small_agent, model).turn("a film about space", "dan")
    asked = {call.name: call.status for call in turn.plan if call.asked_by == "model"}
    assert asked == {"retrieve": "run", "update_profile": "refused"}
    assert any(call.asked_by == "policy" for call in turn.plan)
    assert turn.llm_rounds == 2
    assert turn.degraded == ()


@pytest.mark.parametrize(
    ("call", "note"),
    [
        (Call("collaborative_candidates", {"like_titles": ["Cantabuja"]}), "not in the request"),
        (Call("retrieve", {"query": "cantabuja", "domain": "movies"}), "not in the request"),
        (Call("filter_catalogue", {"domains": ["recipes"]}), "not in the request"),
        (Call("drop_tables", {}), "no such tool"),
        (Call("retrieve", {"query": "space", "domain": "nowhere"}), ""),
        (Call("recognise_scene", {"scene": "party"}), "known already"),
        (Call("query_graph", {"value": "space" * 40}), ""),
    ],
)
def test_a_call_that_the_request_does_not_bear_out_is_refused(small_agent: Agent, call: Call, note: str) -> None:
    turn = scripted(small_agent, ScriptedModel(plans=[[call]])).turn("a film about space", "dan")
    (asked,) = [one for one in turn.plan if one.asked_by == "model"]
    assert asked.status == "refused" or (call.name == "retrieve" and "domain" not in asked.arguments)
    assert note in asked.note
    assert turn.items


def test_true_copy_is_kept_and_false_copy_replaced(small_agent: Agent) -> None:
    true = ScriptedModel(texts=["A comedy."])
    turn = scripted(small_agent, true).turn("only films please, a comedy", "hal", k=1)
    assert "Comedy" in dict(turn.items[0].evidence)["genre"]
    assert (turn.items[0].copy, turn.items[0].copy_source) == ("A comedy.", "model")
    false = ScriptedModel(texts=["The award-winning 1812 epic by Steven Spielberg."])
    turn = scripted(small_agent, false).turn("only films please, a comedy", "hal", k=1)
    assert turn.items[0].copy_source == "template"
    assert turn.items[0].refused
    assert "Spielberg" not in turn.reply


@pytest.mark.parametrize("reason", ["unreachable", "too slow", "status 500", "unreadable answer"])
def test_a_broken_model_degrades_the_turn_and_nothing_else(small_agent: Agent, reason: str) -> None:
    model = ScriptedModel(plans=[ModelError("no", reason=reason)], texts=[ModelError("no", reason=reason)])
    turn = scripted(small_agent, model).turn("a film about space", "dan")
    assert turn.degraded == (f"planning: {reason}", f"writing: {reason}")
    assert len(turn.items) == 5
    assert all(item.copy_source == "template" for item in turn.items)


def test_a_slow_model_is_left_at_the_deadline(small_agent: Agent) -> None:
    turn = scripted(small_agent, ScriptedModel(delay_s=5.0), deadline_s=0.4).turn("a film about space", "dan")
    assert turn.degraded
    assert turn.timings_ms["total"] < 2_000
    assert turn.items


def test_streams_yield_the_steps_and_then_the_turn(small_agent: Agent) -> None:
    parts = list(small_agent.stream("a film for tonight", "eve"))
    assert [part.name for part in parts if isinstance(part, Step)] == ["perceive", "plan", "act", "rank", "compose", "verify", "remember"]
    assert isinstance(parts[-1], Turn)
    with pytest.raises(InputError):
        list(small_agent.stream("x" * 10_000, "eve"))


def test_a_turn_that_is_asked_for_again_is_given_again(small_agent: Agent) -> None:
    first = small_agent.turn("not the second one", "eve", conversation_id="again", turn_id="again-1")
    parts = list(small_agent.stream("not the second one", "eve", conversation_id="again", turn_id="again-1"))
    assert [part for part in parts if isinstance(part, Turn)] == parts
    again, once = (json.dumps(turn.to_record() | {"timings_ms": 0}, sort_keys=True) for turn in (parts[0], first))
    assert again == once
    assert len(small_agent.store.turns.of_conversation("again")) == 1
    with pytest.raises(NotAllowed):
        small_agent.turn("a film", "eve", conversation_id="elsewhere", turn_id="again-1")


def test_a_list_may_belong_to_a_conversation(small_agent: Agent) -> None:
    small_agent.turn("a funny film", "dan", conversation_id="listed")
    listed = small_agent.recommend("dan", text="a funny film", scene="date night", conversation_id="listed")
    why = small_agent.turn("why the second one?", "dan", conversation_id="listed")
    assert [item.item_id for item in why.items] == [listed.items[1].item_id]
    with pytest.raises(NotAllowed):
        small_agent.recommend("eve", conversation_id="listed")


def test_async_twins(small_agent: Agent) -> None:
    async def all_three() -> tuple[Turn, Turn, list[Step | Turn]]:
        turn = await small_agent.aturn("a film for tonight", "eve")
        recommended = await small_agent.arecommend("eve", scene="date night")
        return turn, recommended, [part async for part in small_agent.astream("a film for tonight", "eve")]

    turn, recommended, parts = asyncio.run(all_three())
    assert turn.items
    assert recommended.scene == "date night"
    assert isinstance(parts[-1], Turn)


def test_the_store_is_never_read_on_the_callers_loop(small_agent: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    readers: list[threading.Thread] = []
    reading = Database.reading

    def noted(self: Database) -> Any:
        readers.append(threading.current_thread())
        return reading(self)

    monkeypatch.setattr(Database, "reading", noted)

    async def calls() -> None:
        begun = await small_agent.aturn("a film for tonight", "music:7", conversation_id="on no loop")
        await small_agent.arecommend("music:7", k=2)
        async for _ in small_agent.astream("shorter", "music:7", conversation_id=begun.conversation_id):
            pass

    asyncio.run(calls())
    assert readers
    assert threading.main_thread() not in readers


def test_nobody_is_called_anonymous(small_agent: Agent) -> None:
    with pytest.raises(InputError, match="leave the user out"):
        small_agent.turn("a film", "anonymous")


def test_conversations_run_side_by_side(small_agent: Agent) -> None:
    async def many() -> list[Turn]:
        return list(await asyncio.gather(*(small_agent.aturn("a film for tonight", user) for user in ("ann", "ben", "dan", "eve") * 3)))

    turns = asyncio.run(many())
    assert len({turn.conversation_id for turn in turns}) == 12
    by_user = {turn.user_id: [item.item_id for item in turn.items] for turn in turns}
    for turn in turns:
        assert [item.item_id for item in turn.items] == by_user[turn.user_id]


def test_a_named_item_is_what_the_list_is_like(small_agent: Agent) -> None:
    turn = small_agent.turn("something like Alien please", "dan", k=3)
    assert [item.domain for item in turn.items][:2] == ["movies", "movies"]
    assert "film-star-wars" in [item.item_id for item in turn.items]


def test_a_person_nobody_knows_is_said_to_be_unknown(small_agent: Agent) -> None:
    assert "nothing of Jane Campion" in small_agent.turn("anything by Jane Campion", "dan").reply
    assert "nothing of" not in small_agent.turn("anything by Alfred Hitchcock", "dan").reply


def test_conditions_alone_are_not_searched_for(small_agent: Agent) -> None:
    turn = small_agent.turn("under two hours, no horror, no war", "dan")
    assert all(call.name != "retrieve" for call in turn.plan)
    assert turn.items


def test_chinese_is_answered_in_chinese(small_agent: Agent) -> None:
    assert "推荐" in small_agent.turn("在地铁上，想听点什么", "dan").reply


def test_a_scene_said_in_words_is_not_searched_for(small_agent: Agent) -> None:
    turn = small_agent.turn("friends are over on Saturday night", "dan")
    assert turn.scene == "party"
    assert all("friends" not in str(call.arguments.get("query", "")) for call in turn.plan)


def test_a_kind_of_item_and_a_scene_leave_nothing_to_search_for_but_what_suits_the_scene(small_agent: Agent) -> None:
    turn = small_agent.turn("a book for the weekend", "dan")
    assert turn.scene == "lazy weekend"
    queries = [str(call.arguments["query"]) for call in turn.plan if "query" in call.arguments]
    assert queries
    assert not [query for query in queries if "for the weekend" in query]


def test_the_seed_varies_the_words_and_not_the_facts(small_agent: Agent) -> None:
    texts = {
        seed: [i.copy for i in scripted(small_agent, None, seed=seed).turn("friends are over on Saturday night", "eve").items]
        for seed in range(4)
    }
    assert texts[0] == [item.copy for item in small_agent.turn("friends are over on Saturday night", "eve").items]
    assert len({tuple(copies) for copies in texts.values()}) > 1


def test_love_and_hate_in_one_message_are_told_apart(own_store: Path, encoders: Encoders) -> None:
    with Agent.open(own_store, settings=Settings(llm_off=True), encoders=encoders) as agent:
        agent.turn("I love jazz but I can't stand musicals", "ann")
        profile = agent.store.profiles.get("ann")  # type: ignore[arg-type]
        assert {taste.value.casefold() for taste in profile.likes} == {"jazz"}
        assert {taste.value.casefold() for taste in profile.dislikes} == {"musical"}


def test_a_ban_is_lifted_by_a_later_wish(small_agent: Agent) -> None:
    first = small_agent.turn("only films please, nothing violent", "dan")
    later = small_agent.turn("a horror film then", "dan", conversation_id=first.conversation_id)
    assert any("Horror" in small_agent.store.items.get(item.item_id).attributes["genre"] for item in later.items)


@pytest.mark.parametrize("message", ["something to read this weekend", "no longer in the mood for comedy", "a film for my older sister"])
def test_words_that_only_look_like_follow_ups(small_agent: Agent, message: str) -> None:
    first = small_agent.turn("a film for tonight", "eve")
    turn = small_agent.turn(message, "eve", conversation_id=first.conversation_id)
    assert turn.intent in ("recommend", "anything")


def test_why_the_seventh_of_five(small_agent: Agent) -> None:
    first = small_agent.turn("a film for tonight", "eve")
    why = small_agent.turn("why the 7th?", "eve", conversation_id=first.conversation_id)
    assert f"{len(first.items)} items" in why.reply
    assert why.items == ()


def test_two_messages_of_one_conversation_wait_for_each_other(small_agent: Agent) -> None:
    first = small_agent.turn("a film for tonight", "eve")

    async def both() -> None:
        await asyncio.gather(
            *(
                small_agent.aturn(f"not the {place} one again", "eve", conversation_id=first.conversation_id)
                for place in ("first", "second")
            )
        )

    asyncio.run(both())
    last = small_agent.turn("a film for tonight", "eve", conversation_id=first.conversation_id, k=10)
    assert first.items[0].item_id not in [item.item_id for item in last.items]


def test_standing_rules_of_the_profile_hold(own_store: Path, encoders: Encoders) -> None:
    from scenewise import Profile, UserId

    with Agent.open(own_store, settings=Settings(llm_off=True), encoders=encoders) as agent:
        agent.store.profiles.save(Profile(UserId("zoe"), constraints={"max_duration_min": "95"}))
        turn = agent.turn("only films please", "zoe", k=10)
        assert turn.items
        assert all((agent.store.items.get(item.item_id).duration_min or 0) <= 95 for item in turn.items)


def test_a_closed_agent_says_so(own_store: Path, encoders: Encoders) -> None:
    agent = Agent.open(own_store, settings=Settings(llm_off=True), encoders=encoders)
    agent.close()
    agent.close()
    with pytest.raises(StoreError, match="closed"):
        agent.turn("hello")


def test_a_question_to_the_graph_is_answered_with_what_it_asks_for_alone(small_agent: Agent) -> None:
    turn = small_agent.turn("films by the director of Psycho")
    assert [(item.item_id, item.reason) for item in turn.items] == [("film-vertigo", "by Alfred Hitchcock, like Psycho")]
    nothing = small_agent.turn("films by the director of Casablanca")
    assert len(nothing.items) > 1
