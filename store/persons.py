"""A user as a person: the identities that are theirs on other platforms, all that is kept of them, and forgetting it to the last byte."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from scenewise.store.codec import dump_moment
from scenewise.store.errors import Busy, StoreError
from scenewise.store.store import Store
from scenewise.store.types import Event, Profile, UserId

CONVERSATIONS = "conversations.sqlite"
"""The file of the conversations' checkpoints, beside store.sqlite."""


def identity(platform: str, platform_user_id: str) -> UserId:
    """The user id under which somebody of a platform is known before they are linked to anybody: "music:42"."""
    return UserId(f"{platform}:{platform_user_id}")


def person_of(store: Store, user_id: UserId) -> UserId:
    """Whom a user id stands for: the user that the identity "platform:id" is linked to, else itself."""
    platform, colon, own_id = user_id.partition(":")
    return (store.users.resolve(platform, own_id) if colon and own_id else None) or user_id


def ids_of(store: Store, user_id: UserId) -> tuple[UserId, ...]:
    """A person's user ids: their own first, then those of their identities."""
    return (user_id, *(identity(platform, own_id) for platform, own_id in store.users.identities(user_id)))


def history_of(store: Store, user_id: UserId) -> tuple[Event, ...]:
    """What a person did under any of their ids, oldest first. Nothing is moved: an identity that is unlinked takes its events along."""
    events = [event for one in ids_of(store, user_id) for event in store.events.of_user(one)]
    return tuple(sorted(events, key=lambda event: event.time_s))


def profile_of(store: Store, user_id: UserId) -> Profile:
    """A person's profile with the tastes that their identities have and they have not spoken of themselves."""
    profile, *others = (store.profiles.get(one) for one in ids_of(store, user_id))
    for other in others:
        known = {(taste.attribute, taste.value.casefold()) for taste in (*profile.likes, *profile.dislikes)}
        likes, dislikes = (
            tuple(taste for taste in tastes if (taste.attribute, taste.value.casefold()) not in known)
            for tastes in (other.likes, other.dislikes)
        )
        constraints = {**other.constraints, **profile.constraints}
        profile = replace(profile, likes=profile.likes + likes, dislikes=profile.dislikes + dislikes, constraints=constraints)
    return profile


def export_user(store: Store, user_id: UserId) -> dict[str, Any]:
    """All that is kept of a user as plain data, with their identities' events and profiles under `also`. Raises NotFound."""
    taken: dict[str, Any] = {"user_id": user_id, "attributes": store.users.attributes(user_id)}
    taken["identities"] = [{"platform": platform, "user_id": own_id} for platform, own_id in store.users.identities(user_id)]
    taken |= _kept_of(store, user_id)
    taken["also"] = {one: _kept_of(store, one) for one in ids_of(store, user_id)[1:] if store.users.exists(one)}
    return taken


def _kept_of(store: Store, user_id: UserId) -> dict[str, Any]:
    profile, conversations = store.profiles.get(user_id), store.turns.conversations(user_id)
    events = [
        {"item_id": event.item_id, "kind": event.kind, "value": event.value, "time_s": event.time_s, "moment": _moment(event)}
        for event in store.events.of_user(user_id)
    ]
    return {
        "profile": {
            "likes": [asdict(taste) for taste in profile.likes],
            "dislikes": [asdict(taste) for taste in profile.dislikes],
            "constraints": dict(profile.constraints),
        },
        "events": events,
        "conversations": [{"conversation_id": one, "turns": store.turns.of_conversation(one)} for one in conversations],
    }


def _moment(event: Event) -> Any:
    kept = dump_moment(event.moment)
    return None if kept is None else json.loads(kept)


def forget_user(store: Store, user_id: UserId) -> bool:
    """Delete a user with their identities, profile, events, conversations, checkpoints, facts and refused rows; return whether anything
    was kept of them. What is deleted is overwritten, so no byte of it is left in the store's folder.

    Models that were trained on many people's events keep what they learned: they hold no ids. Raises StoreError, Busy.
    """
    ids, own = ids_of(store, user_id), store.users.identities(user_id)
    conversations = [one for user in ids for one in store.turns.conversations(user)]
    with store.transaction():
        gone = [store.users.delete(one) for one in ids]
    forget_conversations(store.path, conversations)
    _forget_rows(store.quarantine, [*ids, *(own_id for _, own_id in own)])
    store.scrub()
    return any(gone)


def forget_conversations(folder: Path, conversation_ids: Iterable[str]) -> None:
    """Overwrite the checkpoints of conversations, also while an agent has them open."""
    file, ids = folder / CONVERSATIONS, [(one,) for one in conversation_ids]
    if not ids or not file.is_file():
        return
    try:
        with closing(sqlite3.connect(file, timeout=5.0, isolation_level=None)) as connection:
            connection.execute("PRAGMA secure_delete = ON")
            tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            connection.execute("BEGIN IMMEDIATE")
            for table in sorted(tables & {"checkpoints", "writes"}):
                connection.executemany(f"DELETE FROM {table} WHERE thread_id = ?", ids)
            connection.execute("COMMIT")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    except sqlite3.OperationalError as error:
        raise Busy("the conversations are in use; try again", retry_after_s=1.0) from error
    except sqlite3.Error as error:
        raise StoreError(f"{CONVERSATIONS} is damaged or may not be written; check the file") from error


def _forget_rows(quarantine: Path, words: list[str]) -> None:
    """Drop the refused rows that name one of the ids; others that happen to hold the same word go with them."""
    named = re.compile("|".join(rf"(?<!\w){re.escape(form)}(?!\w)" for word in words for form in {word, json.dumps(word)[1:-1]}))
    for file in sorted(quarantine.glob("*.jsonl")):
        lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
        if kept := [line for line in lines if named.search(line) is None]:
            if len(kept) < len(lines):
                part = file.with_suffix(".part")
                part.write_text("".join(kept), encoding="utf-8")
                part.replace(file)
        elif lines:
            file.unlink()
