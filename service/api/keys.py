"""API keys: a file that holds the SHA-256 of each one, read anew when it changes.

A key is 256 random bits, so its plain hash gives nothing away: there is no dictionary to try, which is what slow hashes are against.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import json
import os
import re
import secrets
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from scenewise.store.errors import InputError, NotFound, StoreError

Scope = Literal["chat", "copy", "write", "admin"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
DAY_S = 86_400
TENANT = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_NO_DIGEST = "0" * 64


@dataclass(frozen=True, slots=True)
class Key:
    """What is kept of a key. `digest` is the key's SHA-256 in hex; with `user_id` it acts for that user only; times are unix seconds;
    `tokens_per_day` is what an LLM may read and write for it from midnight to midnight, UTC; `tenant` whose store it opens, None on a
    server of one store."""

    key_id: str
    name: str
    digest: str
    scopes: tuple[Scope, ...]
    user_id: str | None
    created_s: float
    expires_s: float | None
    tokens_per_day: int | None = None
    tenant: str | None = None


class KeyFile:
    """The keys of a server. All methods may be called from any thread, and several processes may change the file.

    What `tenant`'s keys are is all that `find` knows; a file may hold the keys of several.
    """

    def __init__(self, path: Path, tenant: str | None = None) -> None:
        self.path, self.tenant = path, tenant
        self._reading = threading.Lock()
        self._known: tuple[tuple[int, int], dict[str, Key]] | None = None

    def all(self) -> tuple[Key, ...]:
        """The keys, oldest first; none where there is no file. Raises StoreError where the file is not one of keys."""
        return tuple(self._keys().values())

    def of(self, tenant: str | None) -> KeyFile:
        """The same file, for one tenant's store."""
        return KeyFile(self.path, tenant)

    def find(self, token: str, now_s: float) -> Key | None:
        """The key that `token` is, or None where it is unknown, expired or another tenant's."""
        key = self.find_any(token, now_s)
        return key if key is not None and key.tenant == self.tenant else None

    def find_any(self, token: str, now_s: float) -> Key | None:
        """The key that `token` is, whichever tenant's, or None where it is unknown or expired."""
        mark, _, rest = token.partition("-")
        key = self._keys().get(rest.partition("-")[0]) if mark == "sw" else None
        same = hmac.compare_digest(digest_of(token), key.digest if key is not None else _NO_DIGEST)
        return key if key is not None and same and (key.expires_s is None or now_s < key.expires_s) else None

    def add(
        self,
        name: str,
        scopes: Sequence[str],
        *,
        user_id: str | None,
        expires_s: float | None,
        now_s: float,
        tokens_per_day: int | None = None,
    ) -> tuple[Key, str]:
        """Make a key of this tenant; return it and the token, which is kept nowhere. Raises InputError for scopes that there are not and
        for a tenant's name that cannot be one."""
        wanted = tuple(scope for scope in SCOPES if scope in scopes)
        if not wanted or set(scopes) - set(wanted):
            raise InputError(f"a key has scopes, each one of {', '.join(SCOPES)}")
        if user_id is not None and "admin" in wanted:
            raise InputError("a key that is bound to a user cannot have the scope admin")
        if user_id is not None and not user_id.strip():
            raise InputError("a user id cannot be empty")
        if self.tenant is not None and not TENANT.fullmatch(self.tenant):
            raise InputError("a tenant's name is made of up to 64 small letters, digits, - and _")
        key_id = secrets.token_hex(4)
        token = f"sw-{key_id}-{secrets.token_urlsafe(32)}"
        key = Key(key_id, name, digest_of(token), wanted, user_id, now_s, expires_s, tokens_per_day, self.tenant)
        with self._changing():
            self._write_keys([*self._read().values(), key])
        return key, token

    def remove(self, key_id: str) -> None:
        """Take a key away; a running server refuses it from its next request on. Raises NotFound."""
        with self._changing():
            keys = self._read()
            if keys.pop(key_id, None) is None:
                raise NotFound("there is no key with this id; `scenewise keys list` shows them")
            self._write_keys(list(keys.values()))

    def spent(self, key_id: str, now_s: float) -> int:
        """How many tokens were spent with a key on this day, UTC."""
        return int(self._spendings(now_s).get(key_id, 0))

    def spend(self, key_id: str, tokens: int, now_s: float) -> None:
        """Count tokens, beside keys.json, where another process and the next start find them."""
        with self._changing():
            spendings = self._spendings(now_s)
            _write(self._spent_path, {"day": day_of(now_s), "tokens": spendings | {key_id: int(spendings.get(key_id, 0)) + tokens}})

    @property
    def _spent_path(self) -> Path:
        return self.path.with_suffix(".spent.json")

    def _spendings(self, now_s: float) -> dict[str, Any]:
        try:
            kept = json.loads(self._spent_path.read_text(encoding="utf-8"))
            return dict(kept["tokens"]) if kept["day"] == day_of(now_s) else {}
        except FileNotFoundError:
            return {}
        except (ValueError, KeyError, TypeError) as error:
            raise StoreError(f"{self._spent_path.name} cannot be read: remove it, and counting begins anew") from error

    def _keys(self) -> dict[str, Key]:
        with self._reading:
            try:
                state = self.path.stat()
            except FileNotFoundError:
                return {}
            stamp = (state.st_mtime_ns, state.st_ino)
            if self._known is None or self._known[0] != stamp:
                self._known = stamp, self._read()
            return self._known[1]

    def _read(self) -> dict[str, Key]:
        try:
            rows = json.loads(self.path.read_text(encoding="utf-8"))["keys"]
            keys = [Key(**row | {"scopes": tuple(row["scopes"])}) for row in rows]
        except FileNotFoundError:
            return {}
        except (ValueError, KeyError, TypeError) as error:
            raise StoreError(f"{self.path.name} is no file of keys; make them with `scenewise keys add`") from error
        return {key.key_id: key for key in keys}

    def _write_keys(self, keys: Sequence[Key]) -> None:
        _write(self.path, {"keys": [asdict(key) for key in keys]})

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """One process changes the file at a time."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with open(self.path.with_name(self.path.name + ".lock"), "w", opener=_private) as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def digest_of(token: str) -> str:
    """The SHA-256 of a token, in hex."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def day_of(now_s: float) -> int:
    """The day of a time, counted from 1970, UTC."""
    return int(now_s // DAY_S)


def _write(path: Path, data: object) -> None:
    part = path.with_name(path.name + ".part")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump(data, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
