"""Profiles, conversations and turns."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TABLES = (
    """
    CREATE TABLE profiles (
        user_no INTEGER NOT NULL PRIMARY KEY,
        likes TEXT NOT NULL,
        dislikes TEXT NOT NULL,
        constraints TEXT NOT NULL,
        FOREIGN KEY (user_no) REFERENCES users (user_no) ON DELETE CASCADE
    )
    """,
    """
    CREATE TABLE conversations (
        conversation_no INTEGER NOT NULL PRIMARY KEY,
        conversation_id TEXT NOT NULL UNIQUE,
        user_no INTEGER NOT NULL,
        started_s FLOAT NOT NULL,
        FOREIGN KEY (user_no) REFERENCES users (user_no) ON DELETE CASCADE
    )
    """,
    "CREATE INDEX conversations_user ON conversations (user_no)",
    """
    CREATE TABLE turns (
        turn_no INTEGER NOT NULL PRIMARY KEY,
        turn_id TEXT NOT NULL UNIQUE,
        conversation_no INTEGER NOT NULL,
        time_s FLOAT NOT NULL,
        record TEXT NOT NULL,
        FOREIGN KEY (conversation_no) REFERENCES conversations (conversation_no) ON DELETE CASCADE
    )
    """,
    "CREATE INDEX turns_conversation ON turns (conversation_no, time_s)",
)


def upgrade() -> None:
    """Make the tables."""
    for statement in TABLES:
        op.execute(statement)
