"""Which schema a store.sqlite has, and how it comes to the newest one."""

from __future__ import annotations

import threading
from pathlib import Path

from sqlalchemy import Connection, text

from scenewise.store.errors import StoreError
from scenewise.store.schema import HEAD, VERSIONS

_ONE_AT_A_TIME = threading.Lock()  # alembic's `context` and `op` are global to the process


def read_version(connection: Connection) -> str | None:
    """Say which schema version the file has; None where it has no tables at all.

    Raises StoreError where the file belongs to another program, or to a version of this one that is not known here.
    """
    tables = set(connection.scalars(text("SELECT name FROM sqlite_master WHERE type = 'table'")))
    if not tables:
        return None
    if "alembic_version" not in tables:
        raise StoreError("this SQLite file was not made by Scenewise; choose another folder for the store")
    version = connection.scalar(text("SELECT version_num FROM alembic_version"))
    if version not in VERSIONS:
        raise StoreError(
            f"the store has schema version {version} and this program knows {VERSIONS[0]} to {HEAD}; "
            "use the Scenewise that wrote it, or a newer one"
        )
    return str(version)


def check_readable(version: str | None) -> None:
    """Raise StoreError where a store cannot be used without being changed first."""
    if version is None:
        raise StoreError("the store was never finished; open it once for writing, for example with `scenewise ingest`")
    if version != HEAD:
        way = "open it once for writing, for example with `scenewise reindex`"
        raise StoreError(f"the store has the older schema version {version} and {HEAD} is needed; {way}")


def migrate(connection: Connection, version: str = HEAD) -> None:
    """Bring the schema to `version`, inside the transaction that `connection` already is in."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    with _ONE_AT_A_TIME:
        command.upgrade(config, version)
