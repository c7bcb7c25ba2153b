"""The users of the store and who they are on other platforms."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping

from sqlalchemy import Connection, delete, func, select
from sqlalchemy.dialects.sqlite import insert

from scenewise.store.codec import dump_json
from scenewise.store.database import Database
from scenewise.store.edge_sql import erase_edges
from scenewise.store.errors import InputError, NotAllowed, NotFound
from scenewise.store.numbers import RowNumbers
from scenewise.store.revision import grow_revision
from scenewise.store.schema import events, identities
from scenewise.store.schema import users as table
from scenewise.store.types import UserId


class Users:
    """Read and change users and their identities. All methods may be called from any thread."""

    def __init__(self, database: Database, numbers: RowNumbers, clock: Callable[[], float]) -> None:
        self._database = database
        self._numbers = numbers
        self._clock = clock

    def upsert(self, user_id: UserId, attributes: Mapping[str, str]) -> None:
        """Add a user, or replace the attributes of one."""
        self.upsert_many([(user_id, attributes)])

    def upsert_many(self, users: Iterable[tuple[UserId, Mapping[str, str]]]) -> None:
        """Do `upsert` for many users at once; all or none are kept."""
        rows = [{"user_id": user_id, "attributes": dump_json(dict(attributes))} for user_id, attributes in users]
        if not all(row["user_id"] for row in rows):
            raise InputError("a user needs an id")
        statement = insert(table)
        upsert = statement.on_conflict_do_update(index_elements=["user_id"], set_={"attributes": statement.excluded.attributes})
        with self._database.writing() as connection:
            if rows:
                connection.execute(upsert, rows)

    def exists(self, user_id: UserId) -> bool:
        """Say whether the store knows the user."""
        with self._database.reading() as connection:
            return connection.scalar(select(table.c.user_no).where(table.c.user_id == user_id)) is not None

    def attributes(self, user_id: UserId) -> dict[str, str]:
        """Return a user's attributes. Raises NotFound."""
        with self._database.reading() as connection:
            text = connection.scalar(select(table.c.attributes).where(table.c.user_id == user_id))
        if text is None:
            raise NotFound("no user of the store has this id; add one with `store.users.upsert`")
        return dict(json.loads(text))

    def ids(self) -> list[UserId]:
        """Return all ids in order (by code point)."""
        with self._database.reading() as connection:
            return list(map(UserId, connection.scalars(select(table.c.user_id).order_by(table.c.user_id))))

    def count(self) -> int:
        """Count the users."""
        with self._database.reading() as connection:
            return connection.scalar(select(func.count()).select_from(table)) or 0

    def link(self, user_id: UserId, platform: str, platform_user_id: str) -> None:
        """Say that a user is `platform_user_id` on `platform`; saying it twice is saying it once.

        Raises NotFound for an unknown user, NotAllowed where the identity belongs to another user, InputError for empty names.
        """
        if not platform or not platform_user_id:
            raise InputError("an identity needs a platform and a user id on it")
        with self._database.writing() as connection:
            user_no = self._numbers.find(connection, [user_id]).get(user_id)
            if user_no is None:
                raise NotFound("no user of the store has this id; add one with `store.users.upsert`")
            row = {"platform": platform, "platform_user_id": platform_user_id, "user_no": user_no, "linked_s": self._clock()}
            connection.execute(insert(identities).on_conflict_do_nothing(), row)
            if _find_owner(connection, platform, platform_user_id) != user_id:
                raise NotAllowed("this identity belongs to another user; unlink it there first")

    def unlink(self, platform: str, platform_user_id: str) -> bool:
        """Forget an identity; return whether it was linked."""
        same = (identities.c.platform == platform) & (identities.c.platform_user_id == platform_user_id)
        with self._database.writing() as connection:
            return connection.execute(delete(identities).where(same)).rowcount > 0

    def resolve(self, platform: str, platform_user_id: str) -> UserId | None:
        """Return whom an identity belongs to, or None."""
        with self._database.reading() as connection:
            return _find_owner(connection, platform, platform_user_id)

    def identities(self, user_id: UserId) -> list[tuple[str, str]]:
        """Return a user's (platform, platform_user_id) pairs, in order."""
        query = select(identities.c.platform, identities.c.platform_user_id).join(table).where(table.c.user_id == user_id)
        with self._database.reading() as connection:
            return sorted((row[0], row[1]) for row in connection.execute(query))

    def delete(self, user_id: UserId) -> bool:
        """Delete a user with events, profile, identities, conversations and the edges that touch "user:<id>".

        Returns whether there was such a user.
        """
        node = f"user:{user_id}"
        numbers = select(table.c.user_no).where(table.c.user_id == user_id)
        with self._database.writing() as connection:
            if connection.execute(delete(events).where(events.c.user_no.in_(numbers))).rowcount:
                grow_revision(connection, "events")
            erase_edges(connection, [node])
            self._numbers.forget([user_id])
            return connection.execute(delete(table).where(table.c.user_id == user_id)).rowcount > 0  # the rest cascades


def number_users(connection: Connection, numbers: RowNumbers, user_ids: Iterable[str]) -> Mapping[str, int]:
    """Return row numbers that hold all of `user_ids`; users that the store lacks are added without attributes."""
    ids = set(user_ids)
    if not all(ids):
        raise InputError("a user needs an id")
    known = numbers.find(connection, ids)
    new = [{"user_id": user_id, "attributes": "{}"} for user_id in sorted(ids) if user_id not in known]
    if new:
        connection.execute(insert(table), new)
        known = numbers.find(connection, ids)
    return known


def _find_owner(connection: Connection, platform: str, platform_user_id: str) -> UserId | None:
    query = (
        select(table.c.user_id).join(identities).where(identities.c.platform == platform, identities.c.platform_user_id == platform_user_id)
    )
    user_id = connection.scalar(query)
    return None if user_id is None else UserId(user_id)
