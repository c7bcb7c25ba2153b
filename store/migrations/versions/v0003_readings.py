"""Which texts were read into the graph by whom, and which names were taken for one."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TABLES = (
    """
    CREATE TABLE readings (
        node TEXT NOT NULL,
        source TEXT NOT NULL,
        text_hash TEXT NOT NULL,
        outcome TEXT NOT NULL,
        read_s FLOAT NOT NULL,
        PRIMARY KEY (node, source)
    )
    """,
    """
    CREATE TABLE merges (
        node TEXT NOT NULL PRIMARY KEY,
        into_node TEXT NOT NULL,
        score FLOAT NOT NULL,
        decided_by TEXT NOT NULL,
        merged_s FLOAT NOT NULL
    )
    """,
)


def upgrade() -> None:
    """Make the tables."""
    for statement in TABLES:
        op.execute(statement)
