"""Load a user's own data: items, events, users, edges and scene packs, from CSV, TSV, RecBole, JSON lines, Parquet and TOML."""

from scenewise.store.ingest.columns import guess_columns
from scenewise.store.ingest.load import Progress, ingest
from scenewise.store.ingest.plan import preview
from scenewise.store.ingest.report import KINDS, ColumnGuess, IngestReport, Kind, Preview

__all__ = ["KINDS", "ColumnGuess", "IngestReport", "Kind", "Preview", "Progress", "guess_columns", "ingest", "preview"]
