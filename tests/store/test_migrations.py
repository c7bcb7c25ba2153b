import sqlite3
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

import scenewise.store.schema_version as schema_version
from scenewise.store import Item, ItemId, Profile, Store, StoreError, Taste, UserId
from scenewise.store.database import Database
from scenewise.store.schema import HEAD, VERSIONS, metadata


def read_schema(path: Path) -> list[tuple[str, str, str]]:
    connection = sqlite3.connect(path / "store.sqlite")
    rows = connection.execute("SELECT type, name, coalesce(sql, '') FROM sqlite_master ORDER BY type, name").fetchall()
    connection.close()
    return rows


def make_old_store(path: Path, version: str) -> None:
    path.mkdir()
    database = Database(path / "store.sqlite", read_only=False)
    with database.writing() as connection:
        schema_version.migrate(connection, version)
        connection.exec_driver_sql("INSERT INTO users (user_id, attributes) VALUES ('ann', '{}')")
        connection.exec_driver_sql(
            "INSERT INTO items (item_id, domain, title, text, attributes, media, available, words, updated_s) "
            "VALUES ('a', 'movies', 'Alpha', '', '{\"genre\":[\"Drama\"]}', '[]', 1, 'Drama', 0)"
        )
    database.close()


def test_the_versions_of_the_code_are_the_migrations() -> None:
    folder = Path(schema_version.__file__).parent / "migrations"
    scripts = ScriptDirectory(str(folder)).walk_revisions()
    assert tuple(script.revision for script in scripts)[::-1] == VERSIONS


@pytest.mark.parametrize("version", VERSIONS)
def test_a_migrated_store_is_as_a_fresh_one_and_keeps_its_rows(tmp_path: Path, version: str) -> None:
    make_old_store(tmp_path / "old", version)
    with Store.open(tmp_path / "old") as store:
        assert list(store.items.all()) == [Item(ItemId("a"), "movies", "Alpha", attributes={"genre": ("Drama",)})]
        assert [item_id for item_id, _ in store.items.search_text("drama", 5)] == ["a"]
        profile = Profile(UserId("ann"), likes=(Taste("genre", "Drama"),))
        store.profiles.save(profile)
        assert store.profiles.get(UserId("ann")) == profile
    Store.open(tmp_path / "fresh", create=True).close()
    assert read_schema(tmp_path / "old") == read_schema(tmp_path / "fresh")


def test_the_tables_of_the_code_are_those_on_disk(store: Store) -> None:
    with store._database.reading() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "compare_type": True,
                "include_object": lambda _thing, name, *_rest: not str(name).startswith("items_fts"),
            },
        )
        assert compare_metadata(context, metadata) == []


@pytest.mark.parametrize("version", VERSIONS[:-1])
def test_a_reader_of_an_older_store_is_told_what_to_do(tmp_path: Path, version: str) -> None:
    make_old_store(tmp_path / "old", version)
    before = (tmp_path / "old" / "store.sqlite").read_bytes()
    with pytest.raises(StoreError, match=f"older schema version {version} and {HEAD} is needed; open it once for writing"):
        Store.open(tmp_path / "old", read_only=True)
    assert (tmp_path / "old" / "store.sqlite").read_bytes() == before


def test_a_migration_that_fails_leaves_the_old_store(tmp_path: Path) -> None:
    make_old_store(tmp_path / "old", VERSIONS[0])
    connection = sqlite3.connect(tmp_path / "old" / "store.sqlite")
    connection.execute("CREATE TABLE turns (x)")  # the next migration makes profiles and conversations, and stops here
    connection.commit()
    connection.close()
    before = read_schema(tmp_path / "old")
    with pytest.raises(StoreError):
        Store.open(tmp_path / "old")
    assert read_schema(tmp_path / "old") == before
