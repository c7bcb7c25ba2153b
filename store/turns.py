"""The turns of conversations, kept as JSON records."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Select, func, select
from sqlalchemy.dialects.sqlite import insert

from scenewise.store.codec import dump_json
from scenewise.store.database import Database
from scenewise.store.errors import InputError, NotAllowed, NotFound
from scenewise.store.numbers import RowNumbers
from scenewise.store.schema import conversations, users
from scenewise.store.schema import turns as table
from scenewise.store.types import UserId
from scenewise.store.users import number_users

Record = dict[str, Any]  # whatever JSON object the agent keeps of a turn


class Turns:
    """Read and save turns. All methods may be called from any thread."""

    def __init__(self, database: Database, user_numbers: RowNumbers) -> None:
        self._database = database
        self._user_numbers = user_numbers

    def save(self, turn_id: str, conversation_id: str, *, user_id: UserId, time_s: float, record: Mapping[str, object]) -> None:
        """Keep the record of a turn, instead of an older one with this id; an unknown user is added.

        Raises NotAllowed where the conversation belongs to another user or the turn to another conversation; InputError for
        empty ids and for a record that is not JSON.
        """
        if not turn_id or not conversation_id:
            raise InputError("a turn needs an id and the id of its conversation")
        columns = {"time_s": time_s, "record": dump_json(dict(record))}
        with self._database.writing() as connection:
            user_no = number_users(connection, self._user_numbers, [user_id])[user_id]
            conversation_no = _number_conversation(connection, conversation_id, user_no, time_s)
            statement = insert(table).values(turn_id=turn_id, conversation_no=conversation_no, **columns)
            same = table.c.conversation_no == conversation_no
            upsert = statement.on_conflict_do_update(index_elements=["turn_id"], set_=columns, where=same)
            if not connection.execute(upsert).rowcount:
                raise NotAllowed("this turn id belongs to another conversation; choose a new one")

    def get(self, turn_id: str) -> Record:
        """Return the record of a turn. Raises NotFound."""
        with self._database.reading() as connection:
            text = connection.scalar(select(table.c.record).where(table.c.turn_id == turn_id))
        if text is None:
            raise NotFound("no turn of the store has this id")
        return _load(text)

    def of_conversation(self, conversation_id: str) -> list[Record]:
        """Return the records of a conversation, oldest first; none for an unknown one."""
        query = _select_records(conversation_id).order_by(table.c.time_s, table.c.turn_no)
        with self._database.reading() as connection:
            return [_load(text) for text in connection.scalars(query)]

    def last(self, conversation_id: str, *, before: str | None = None) -> Record | None:
        """Return the newest record of a conversation, or the one before the turn with the id `before` where that is kept."""
        query = _select_records(conversation_id).order_by(table.c.time_s.desc(), table.c.turn_no.desc()).limit(1)
        if before is not None:
            turn_no = select(table.c.turn_no).where(table.c.turn_id == before).scalar_subquery()
            query = query.where(table.c.turn_no < func.coalesce(turn_no, 2**62))
        with self._database.reading() as connection:
            text = connection.scalar(query)
        return None if text is None else _load(text)

    def scenes_of(self, user_id: UserId, *, last: int) -> dict[str, int]:
        """Count the scenes of a user's newest turns, `last` at most; turns without a scene do not count."""
        name = func.json_extract(table.c.record, "$.scene").label("scene")
        mine = (
            select(name)
            .select_from(table)
            .join(conversations)
            .join(users, users.c.user_no == conversations.c.user_no)
            .where(users.c.user_id == user_id)
        )
        newest = mine.order_by(table.c.time_s.desc(), table.c.turn_no.desc()).limit(last).subquery()
        query = select(newest.c.scene, func.count()).select_from(newest).where(newest.c.scene.is_not(None)).group_by(newest.c.scene)
        with self._database.reading() as connection:
            return {str(scene): int(count) for scene, count in connection.execute(query)}

    def conversations(self, user_id: UserId) -> list[str]:
        """Return the ids of a user's conversations, the oldest first."""
        query = select(conversations.c.conversation_id).join(users).where(users.c.user_id == user_id)
        with self._database.reading() as connection:
            return list(connection.scalars(query.order_by(conversations.c.started_s, conversations.c.conversation_no)))

    def begun_with(self, prefix: str, *, last: int) -> list[str]:
        """Return the ids of conversations that begin with `prefix`, the newest first, `last` at most."""
        within = (conversations.c.conversation_id >= prefix) & (conversations.c.conversation_id < prefix + "\U0010ffff")
        newest = conversations.c.started_s.desc(), conversations.c.conversation_no.desc()
        with self._database.reading() as connection:
            return list(connection.scalars(select(conversations.c.conversation_id).where(within).order_by(*newest).limit(last)))

    def owner(self, conversation_id: str) -> UserId | None:
        """Return whose conversation it is: check it before showing one to somebody."""
        query = select(users.c.user_id).join(conversations).where(conversations.c.conversation_id == conversation_id)
        with self._database.reading() as connection:
            user_id = connection.scalar(query)
        return None if user_id is None else UserId(user_id)


def _select_records(conversation_id: str) -> Select[Any]:
    return select(table.c.record).join(conversations).where(conversations.c.conversation_id == conversation_id)


def _number_conversation(connection: Connection, conversation_id: str, user_no: int, time_s: float) -> int:
    row = {"conversation_id": conversation_id, "user_no": user_no, "started_s": time_s}
    connection.execute(insert(conversations).on_conflict_do_nothing(index_elements=["conversation_id"]), row)
    columns = (conversations.c.conversation_no, conversations.c.user_no)
    found = connection.execute(select(*columns).where(conversations.c.conversation_id == conversation_id)).one()
    if found.user_no != user_no:
        raise NotAllowed("this conversation belongs to another user; begin a new one")
    return int(found.conversation_no)


def _load(text: str) -> Record:
    return dict(json.loads(text))
