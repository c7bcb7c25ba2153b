"""The steps that make and change the schema of store.sqlite, run by `versions.py` through alembic."""
