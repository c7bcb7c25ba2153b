"""Frappe: frappe.csv (apps used in context; Baltrunas et al. 2015, arXiv:1505.03014) with meta.csv (what the apps are)."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

from scenewise.eval.data.assemble import ITEM, USER, VALUE, Kind, assemble
from scenewise.eval.data.text import LINE, find, find_needed, need, numbers
from scenewise.eval.dataset import Dataset
from scenewise.store.types import Item, ItemId

_DOMAINS = Path(__file__).with_name("app_domains.toml")
_COLUMNS = ("user", "item", "cnt")


def fits(path: Path) -> bool:
    """Whether it is frappe.csv, or the folder that holds it."""
    return find(path, "frappe.csv") is not None if path.is_dir() else path.name.removesuffix(".gz") == "frappe.csv"


def read(path: Path) -> Dataset:
    """Read it; the value is how often the app was used in this context. An app's domain is the broad one of its category."""
    path = find_needed(path, "frappe.csv") if path.is_dir() else path
    table = need(path, *_COLUMNS)
    events = table.with_columns(numbers(table, "cnt").alias(VALUE)).rename({"user": USER, "item": ITEM})
    meta = find(path.parent, "meta.csv")
    context = [column for column in table.columns if column not in (*_COLUMNS, LINE)]
    return assemble("frappe", events, Kind("use", "other", ordered=False), items=[*_apps(meta)] if meta else [], context=context)


def _apps(path: Path) -> Iterator[Item]:
    domain_of = _domains()
    for row in need(path, "item").iter_rows(named=True):
        category = row.get("category", "")
        attributes = {"category": category, "creator": row.get("developer", ""), "language": row.get("language", "")}
        known = {name: (value,) for name, value in attributes.items() if value not in ("", "unknown")}
        domain = domain_of.get(category.casefold(), "other")
        yield Item(ItemId(row["item"]), domain, row.get("name") or row["item"], row.get("description", ""), known)


def _domains() -> Mapping[str, str]:
    table = tomllib.loads(_DOMAINS.read_text(encoding="utf-8"))
    return {category.casefold(): domain for domain, categories in table["domains"].items() for category in categories}
