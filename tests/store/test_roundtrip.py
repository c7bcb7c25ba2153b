"""What goes in comes out: every field, any text that is text, any finite number."""

from datetime import datetime, timedelta, timezone

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scenewise.store import Edge, Event, Item, ItemId, Moment, Place, Profile, Store, Taste, UserId

relaxed = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)  # half surrogates are not text
names = text.filter(bool)
floats = st.floats(allow_nan=False, allow_infinity=False)
integers = st.integers(-(2**63), 2**63 - 1)


def maybe(strategy: st.SearchStrategy) -> st.SearchStrategy:
    return st.none() | strategy


items = st.builds(
    Item,
    item_id=names.map(ItemId),
    domain=names,
    title=text,
    text=text,
    attributes=st.dictionaries(text, st.lists(text, max_size=3).map(tuple), max_size=3),
    year=maybe(integers),
    duration_min=maybe(floats),
    price_cents=maybe(integers),
    currency=maybe(text),
    available=st.booleans(),
    media=st.lists(text, max_size=3).map(tuple),
)
offsets = st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
moments = st.builds(
    Moment,
    device=maybe(text),
    local_time=maybe(st.datetimes(timezones=st.none() | offsets, min_value=datetime(1, 1, 3), max_value=datetime(9999, 12, 29))),
    place=maybe(st.builds(Place, type=maybe(text), speed_mps=maybe(floats))),  # of coordinates, none are kept: see test_coordinates
    locale=text,
    available_min=maybe(floats),
    network=maybe(text),
    weather=maybe(text),
)
tastes = st.builds(Taste, attribute=text, value=text, strength=floats, source=text, time_s=floats, locked=st.booleans())
nodes = st.tuples(names, text).map(":".join)


@relaxed
@given(st.lists(items, max_size=4, unique_by=lambda item: item.item_id))
def test_items(store: Store, many: list[Item]) -> None:
    store.items.delete(store.items.ids())
    assert store.items.upsert(many) == len(many)
    assert list(store.items.all()) == sorted(many, key=lambda item: item.item_id)
    assert store.items.upsert(many) == 0
    assert store.items.get_many(item.item_id for item in many) == {item.item_id: item for item in many}
    with store._database.writing() as connection:
        connection.exec_driver_sql("INSERT INTO items_fts (items_fts, rank) VALUES ('integrity-check', 1)")


@relaxed
@given(user_id=names.map(UserId), kind=names, value=maybe(floats), time_s=floats, moment=maybe(moments))
def test_events(store: Store, user_id: UserId, kind: str, value: float | None, time_s: float, moment: Moment | None) -> None:
    store.items.upsert([Item(ItemId("a"), "movies", "")])
    event = Event(user_id, ItemId("a"), kind, value, time_s, moment)
    store.users.delete(user_id)
    assert store.events.add([event]) == 1
    assert store.events.of_user(user_id) == [event]
    assert store.events.add([event]) == 0


@relaxed
@given(
    subject=nodes,
    relation=names,
    target=nodes,
    source=names,
    evidence=text,
    confidence=st.floats(0, 1),
    ends=st.lists(floats, max_size=2),
)
def test_edges(
    store: Store, subject: str, relation: str, target: str, source: str, evidence: str, confidence: float, ends: list[float]
) -> None:
    begin_s, end_s = [None, None] if not ends else [ends[0], None] if len(ends) == 1 else sorted(ends)
    with store._database.writing() as connection:
        connection.exec_driver_sql("DELETE FROM edges")
    edge = Edge(subject, relation, target, source, evidence, confidence, begin_s, end_s)
    assert store.edges.add([edge, edge]) == 1
    assert list(store.edges.all()) == store.edges.of(subject) == store.edges.of(target) == [edge]
    assert store.edges.add([edge]) == 0


@relaxed
@given(
    user_id=names.map(UserId),
    likes=st.lists(tastes, max_size=3).map(tuple),
    dislikes=st.lists(tastes, max_size=3).map(tuple),
    constraints=st.dictionaries(text, text, max_size=3),
)
def test_profiles(
    store: Store, user_id: UserId, likes: tuple[Taste, ...], dislikes: tuple[Taste, ...], constraints: dict[str, str]
) -> None:
    profile = Profile(user_id, likes=likes, dislikes=dislikes, constraints=constraints)
    store.profiles.save(profile)
    assert store.profiles.get(user_id) == profile
    assert store.users.exists(user_id)


@relaxed
@given(user_id=names.map(UserId), attributes=st.dictionaries(text, text, max_size=3), identity=st.tuples(names, names))
def test_users(store: Store, user_id: UserId, attributes: dict[str, str], identity: tuple[str, str]) -> None:
    store.users.unlink(*identity)
    store.users.upsert(user_id, attributes)
    store.users.link(user_id, *identity)
    assert store.users.attributes(user_id) == attributes
    assert store.users.resolve(*identity) == user_id
    assert identity in store.users.identities(user_id)
