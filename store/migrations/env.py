"""Alembic runs this file for every migration; `schema_version.migrate` gives the connection, already inside a transaction."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
with context.begin_transaction():
    context.run_migrations()
