"""What changed since a revision, what items were before, which facts are denied, and which sources were imported whole."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_FIELDS = "item_id, domain, title, text, attributes, media, year, duration_min, price_cents, currency, available"

STATEMENTS = (
    "ALTER TABLE items ADD COLUMN revision INTEGER NOT NULL DEFAULT 0",
    "CREATE INDEX items_revision ON items (revision)",
    "ALTER TABLE edges ADD COLUMN denied INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE edges ADD COLUMN closed_by TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE edges ADD COLUMN revision INTEGER NOT NULL DEFAULT 0",
    "CREATE INDEX edges_revision ON edges (revision)",
    "INSERT INTO meta (name, value) VALUES ('erased', 0)",
    "CREATE TABLE imports (source TEXT NOT NULL PRIMARY KEY, finished_s FLOAT NOT NULL)",
    """
    CREATE TABLE past_items (
        past_no INTEGER NOT NULL PRIMARY KEY,
        item_id TEXT NOT NULL,
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
        valid_from_s FLOAT NOT NULL,
        valid_to_s FLOAT NOT NULL,
        deleted_at INTEGER NOT NULL
    )
    """,
    "CREATE INDEX past_items_item ON past_items (item_id)",
    "CREATE INDEX past_items_deleted ON past_items (deleted_at)",
    f"""
    CREATE TRIGGER items_past AFTER UPDATE OF {_FIELDS} ON items WHEN new.updated_s > old.updated_s BEGIN
        INSERT INTO past_items ({_FIELDS}, valid_from_s, valid_to_s, deleted_at)
        VALUES ({", ".join(f"old.{name.strip()}" for name in _FIELDS.split(","))}, old.updated_s, new.updated_s, 0);
    END
    """,
)


def upgrade() -> None:
    """Add columns, tables and the trigger that keeps what an item was."""
    for statement in STATEMENTS:
        op.execute(statement)
