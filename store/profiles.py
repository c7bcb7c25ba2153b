"""What users have told us."""

from __future__ import annotations

import json
from types import MappingProxyType

from sqlalchemy import select
from sqlalchemy.dialects.sqlite import insert

from scenewise.store.codec import dump_json, dump_tastes, load_tastes
from scenewise.store.database import Database
from scenewise.store.numbers import RowNumbers
from scenewise.store.schema import profiles as table
from scenewise.store.schema import users
from scenewise.store.types import Profile, UserId
from scenewise.store.users import number_users


class Profiles:
    """Read and save profiles. All methods may be called from any thread."""

    def __init__(self, database: Database, user_numbers: RowNumbers) -> None:
        self._database = database
        self._user_numbers = user_numbers

    def get(self, user_id: UserId) -> Profile:
        """Return a user's profile; an empty one where nothing was saved."""
        query = select(table.c.likes, table.c.dislikes, table.c.constraints).join(users).where(users.c.user_id == user_id)
        with self._database.reading() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            return Profile(user_id)
        constraints = MappingProxyType(dict(json.loads(row.constraints)))
        return Profile(user_id, likes=load_tastes(row.likes), dislikes=load_tastes(row.dislikes), constraints=constraints)

    def save(self, profile: Profile) -> None:
        """Keep a profile instead of the one before; an unknown user is added."""
        columns = {
            "likes": dump_tastes(profile.likes),
            "dislikes": dump_tastes(profile.dislikes),
            "constraints": dump_json(dict(profile.constraints)),
        }
        with self._database.writing() as connection:
            user_no = number_users(connection, self._user_numbers, [profile.user_id])[profile.user_id]
            statement = insert(table).values(user_no=user_no, **columns)
            connection.execute(statement.on_conflict_do_update(index_elements=["user_no"], set_=columns))
