"""Items with full-text search, users, identities, events, edges and the revision counters."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = (
    "CREATE TABLE meta (name TEXT NOT NULL PRIMARY KEY, value INTEGER NOT NULL)",
    "INSERT INTO meta (name, value) VALUES ('items', 0), ('events', 0), ('edges', 0)",
    """
    CREATE TABLE items (
        item_no INTEGER NOT NULL PRIMARY KEY,
        item_id TEXT NOT NULL UNIQUE,
        domain TEXT NOT NULL,
        title TEXT NOT NULL,
        text TEXT NOT NULL,
        attributes TEXT NOT NULL,
        media TEXT NOT NULL,
        year INTEGER,
        duration_min FLOAT,
        price_cents INTEGER,
        currency TEXT,
        available INTEGER NOT NULL,
        words TEXT NOT NULL,
        updated_s FLOAT NOT NULL
    )
    """,
    "CREATE TABLE users (user_no INTEGER NOT NULL PRIMARY KEY, user_id TEXT NOT NULL UNIQUE, attributes TEXT NOT NULL)",
    """
    CREATE TABLE identities (
        platform TEXT NOT NULL,
        platform_user_id TEXT NOT NULL,
        user_no INTEGER NOT NULL,
        linked_s FLOAT NOT NULL,
        PRIMARY KEY (platform, platform_user_id),
        FOREIGN KEY (user_no) REFERENCES users (user_no) ON DELETE CASCADE
    )
    """,
    "CREATE INDEX identities_user ON identities (user_no)",
    """
    CREATE TABLE events (
        user_no INTEGER NOT NULL,
        time_s FLOAT NOT NULL,
        item_no INTEGER NOT NULL,
        kind TEXT NOT NULL,
        value FLOAT,
        moment TEXT,
        PRIMARY KEY (user_no, time_s, item_no, kind),
        FOREIGN KEY (user_no) REFERENCES users (user_no) ON DELETE CASCADE,
        FOREIGN KEY (item_no) REFERENCES items (item_no) ON DELETE CASCADE
    ) WITHOUT ROWID
    """,
    "CREATE INDEX events_item ON events (item_no)",
    """
    CREATE TABLE edges (
        edge_no INTEGER NOT NULL PRIMARY KEY,
        subject TEXT NOT NULL,
        relation TEXT NOT NULL,
        object TEXT NOT NULL,
        source TEXT NOT NULL,
        evidence TEXT NOT NULL,
        confidence FLOAT NOT NULL,
        valid_from_s FLOAT NOT NULL,
        valid_to_s FLOAT NOT NULL,
        UNIQUE (subject, relation, object, source, valid_from_s)
    )
    """,
    "CREATE INDEX edges_object ON edges (object)",
)

# The index keeps no copy of the text (content='items'); FTS5 therefore needs the old values back whenever a row changes or goes.
SEARCH = (
    """
    CREATE VIRTUAL TABLE items_fts USING fts5 (
        title, text, words, content='items', content_rowid='item_no', tokenize='unicode61 remove_diacritics 2'
    )
    """,
    """
    CREATE TRIGGER items_fts_insert AFTER INSERT ON items BEGIN
        INSERT INTO items_fts (rowid, title, text, words) VALUES (new.item_no, new.title, new.text, new.words);
    END
    """,
    """
    CREATE TRIGGER items_fts_delete AFTER DELETE ON items BEGIN
        INSERT INTO items_fts (items_fts, rowid, title, text, words)
        VALUES ('delete', old.item_no, old.title, old.text, old.words);
    END
    """,
    """
    CREATE TRIGGER items_fts_update AFTER UPDATE OF title, text, words ON items BEGIN
        INSERT INTO items_fts (items_fts, rowid, title, text, words)
        VALUES ('delete', old.item_no, old.title, old.text, old.words);
        INSERT INTO items_fts (rowid, title, text, words) VALUES (new.item_no, new.title, new.text, new.words);
    END
    """,
)


def upgrade() -> None:
    """Make the tables."""
    for statement in TABLES + SEARCH:
        op.execute(statement)
