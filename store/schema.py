"""The tables of store.sqlite as SQLAlchemy Core sees them.

What is on disk is made by `migrations/` alone; a test compares the two. Rows are keyed by small integers (`item_no`, `user_no`),
which never leave this folder.
"""

from __future__ import annotations

from sqlalchemy import Column, Float, ForeignKey, Index, Integer, MetaData, Table, Text, UniqueConstraint

VERSIONS = ("0001", "0002", "0003", "0004")  # every version this program can read, oldest first; a test compares them with migrations/
HEAD = VERSIONS[-1]

metadata = MetaData()

meta = Table(
    "meta",
    metadata,
    Column("name", Text, primary_key=True, nullable=False),
    Column("value", Integer, nullable=False),
)

items = Table(
    "items",
    metadata,
    Column("item_no", Integer, primary_key=True),
    Column("item_id", Text, nullable=False),
    Column("domain", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("attributes", Text, nullable=False),  # JSON: {name: [value, ...]}
    Column("media", Text, nullable=False),  # JSON: [url or path, ...]
    Column("year", Integer),
    Column("duration_min", Float),
    Column("price_cents", Integer),
    Column("currency", Text),
    Column("available", Integer, nullable=False),
    Column("words", Text, nullable=False),  # what full-text search reads beside title and text: see search.py
    Column("updated_s", Float, nullable=False),
    Column("revision", Integer, nullable=False),  # of the items, when this one was last changed
    UniqueConstraint("item_id"),
    Index("items_revision", "revision"),
)

# What items were until they were changed or deleted; a trigger writes it on a change. `deleted_at` is the revision of the items at which
# it went, 0 where it was only changed.
past_items = Table(
    "past_items",
    metadata,
    Column("past_no", Integer, primary_key=True),
    Column("item_id", Text, nullable=False),
    Column("domain", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("attributes", Text, nullable=False),
    Column("media", Text, nullable=False),
    Column("year", Integer),
    Column("duration_min", Float),
    Column("price_cents", Integer),
    Column("currency", Text),
    Column("available", Integer, nullable=False),
    Column("valid_from_s", Float, nullable=False),
    Column("valid_to_s", Float, nullable=False),
    Column("deleted_at", Integer, nullable=False),
    Index("past_items_item", "item_id"),
    Index("past_items_deleted", "deleted_at"),
)

users = Table(
    "users",
    metadata,
    Column("user_no", Integer, primary_key=True),
    Column("user_id", Text, nullable=False),
    Column("attributes", Text, nullable=False),  # JSON: {name: value}
    UniqueConstraint("user_id"),
)

identities = Table(
    "identities",
    metadata,
    Column("platform", Text, primary_key=True, nullable=False),
    Column("platform_user_id", Text, primary_key=True, nullable=False),
    Column("user_no", Integer, ForeignKey("users.user_no", ondelete="CASCADE"), nullable=False),
    Column("linked_s", Float, nullable=False),
    Index("identities_user", "user_no"),
)

# Clustered by user and time, so that the newest events of a user are read without a sort.
events = Table(
    "events",
    metadata,
    Column("user_no", Integer, ForeignKey("users.user_no", ondelete="CASCADE"), primary_key=True, nullable=False),
    Column("time_s", Float, primary_key=True, nullable=False),
    Column("item_no", Integer, ForeignKey("items.item_no", ondelete="CASCADE"), primary_key=True, nullable=False),
    Column("kind", Text, primary_key=True, nullable=False),
    Column("value", Float),
    Column("moment", Text),  # JSON of a Moment, or NULL
    Index("events_item", "item_no"),
    sqlite_with_rowid=False,
)

# An open beginning is -inf and an open end is inf, because NULLs would never be equal in the unique constraint.
edges = Table(
    "edges",
    metadata,
    Column("edge_no", Integer, primary_key=True),
    Column("subject", Text, nullable=False),
    Column("relation", Text, nullable=False),
    Column("object", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("evidence", Text, nullable=False),
    Column("confidence", Float, nullable=False),
    Column("valid_from_s", Float, nullable=False),
    Column("valid_to_s", Float, nullable=False),
    Column("denied", Integer, nullable=False),
    Column("closed_by", Text, nullable=False),  # "" (open, or its source said when it ends), "hand", "import" or "item": see edge_sql.py
    Column("revision", Integer, nullable=False),  # of the edges, when this one was last changed
    UniqueConstraint("subject", "relation", "object", "source", "valid_from_s"),
    Index("edges_object", "object"),
    Index("edges_revision", "revision"),
)

# Sources of edges of which an import came to its end: what is new in a later one is new since then.
imports = Table(
    "imports",
    metadata,
    Column("source", Text, primary_key=True, nullable=False),
    Column("finished_s", Float, nullable=False),
)

profiles = Table(
    "profiles",
    metadata,
    Column("user_no", Integer, ForeignKey("users.user_no", ondelete="CASCADE"), primary_key=True),
    Column("likes", Text, nullable=False),  # JSON: [Taste, ...]
    Column("dislikes", Text, nullable=False),  # JSON: [Taste, ...]
    Column("constraints", Text, nullable=False),  # JSON: {name: value}
)

conversations = Table(
    "conversations",
    metadata,
    Column("conversation_no", Integer, primary_key=True),
    Column("conversation_id", Text, nullable=False),
    Column("user_no", Integer, ForeignKey("users.user_no", ondelete="CASCADE"), nullable=False),
    Column("started_s", Float, nullable=False),
    UniqueConstraint("conversation_id"),
    Index("conversations_user", "user_no"),
)

turns = Table(
    "turns",
    metadata,
    Column("turn_no", Integer, primary_key=True),
    Column("turn_id", Text, nullable=False),
    Column("conversation_no", Integer, ForeignKey("conversations.conversation_no", ondelete="CASCADE"), nullable=False),
    Column("time_s", Float, nullable=False),
    Column("record", Text, nullable=False),  # JSON object
    UniqueConstraint("turn_id"),
    Index("turns_conversation", "conversation_no", "time_s"),
)

# What the graph's builder has read: one row a text's node and a reader, replaced when the text is read again.
readings = Table(
    "readings",
    metadata,
    Column("node", Text, primary_key=True, nullable=False),
    Column("source", Text, primary_key=True, nullable=False),
    Column("text_hash", Text, nullable=False),
    Column("outcome", Text, nullable=False),  # JSON: {kept, refused: {reason: n}, tokens_in, tokens_out, error}
    Column("read_s", Float, nullable=False),
)

# Names taken for one; the edges themselves keep the names they were read with, so that a merge can be undone.
merges = Table(
    "merges",
    metadata,
    Column("node", Text, primary_key=True, nullable=False),
    Column("into_node", Text, nullable=False),
    Column("score", Float, nullable=False),
    Column("decided_by", Text, nullable=False),
    Column("merged_s", Float, nullable=False),
)
