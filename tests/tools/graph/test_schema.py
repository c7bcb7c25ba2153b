"""The schema: what ships is whole, and a store's own file is joined to it or refused with the reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from scenewise.store.errors import InputError
from scenewise.tools.graph.relations import ATTRIBUTE_RELATIONS, describe
from scenewise.tools.graph.schema import load_schema, make_schema, store_schema

GAMES = """
version = 1
[types]
instrument = "value"
[relations.needs]
domain = ["item"]
range = ["instrument"]
weight = 0.2
texts = ["music"]
"""


def test_the_shipped_schema_covers_the_kinds_of_nodes_and_the_attributes() -> None:
    schema = load_schema()
    assert {"user", "item", "creator", "concept", "value", "scene", "domain", "place", "platform"} <= set(schema.types)
    assert set(ATTRIBUTE_RELATIONS.values()) <= set(schema.relations)
    assert schema.is_a("director", "creator")
    assert not schema.is_a("creator", "director")
    assert describe("directed_by").verb == "directed by"
    assert describe("never heard of").weight == 0.3


@pytest.mark.parametrize(
    ("edge", "reason"),
    [
        (("item:a", "has_color", "color:red"), None),
        (("item", "created_by", "director"), None),
        (("item:a", "obeys", "color:red"), "relation"),
        (("user:a", "has_color", "color:red"), "subject"),
        (("item:a", "has_color", "place:red"), "object"),
        (("item:a", "has_color", "colour:red"), "object"),
    ],
)
def test_edges_are_held_against_it(edge: tuple[str, str, str], reason: str | None) -> None:
    assert load_schema().refusal(*edge) == reason


def test_what_a_text_may_state_depends_on_the_kind_of_item() -> None:
    assert load_schema().from_texts("products") == {
        "has_brand": "brand",
        "has_color": "color",
        "has_material": "material",
        "has_use": "use",
    }
    assert "set_in" in load_schema().from_texts("movies")
    assert load_schema().from_texts("hardware") == {}


def test_a_store_extends_it(tmp_path: Path) -> None:
    assert store_schema(tmp_path) is load_schema()
    (tmp_path / "graph.toml").write_text(GAMES)
    schema = store_schema(tmp_path)
    assert schema.refusal("item:a", "needs", "instrument:piano") is None
    assert schema.from_texts("music")["needs"] == "instrument"
    assert "needs" not in load_schema().relations


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"version": 2}, "version 2, and this program reads version 1"),
        ({}, "version: Field required"),
        ({"version": 1, "orders": {}}, "orders: Extra inputs"),
        ({"version": 1, "types": {"a": "b", "b": "a"}}, "descends from itself"),
        ({"version": 1, "types": {"a": "a"}}, "descends from itself"),
        ({"version": 1, "types": {"a": "nowhere"}}, "which is no type"),
        ({"version": 1, "types": {"color": "node"}}, "color is in the schema already"),
        ({"version": 1, "types": {"A b": "node"}}, "is no name"),
        ({"version": 1, "relations": {"about": {"domain": ["item"], "range": ["topic"], "weight": 1}}}, "in the schema already"),
        ({"version": 1, "relations": {"eats": {"domain": ["item"], "range": ["fruit"], "weight": 1}}}, "eats: unknown range 'fruit'"),
        ({"version": 1, "relations": {"eats": {"domain": ["cow"], "range": ["item"], "weight": 1}}}, "eats: unknown domain 'cow'"),
        ({"version": 1, "relations": {"eats": {"domain": ["item"], "weight": 1}}}, "eats has no range"),
        ({"version": 1, "relations": {"eats": {"domain": ["item"], "range": ["item"], "weight": 2}}}, "less than or equal to 1"),
    ],
)
def test_a_wrong_file_is_refused_with_the_reason(table: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        make_schema(table, name="graph.toml", base=load_schema())


def test_a_file_that_is_not_toml_is_refused(tmp_path: Path) -> None:
    (tmp_path / "graph.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="not TOML"):
        store_schema(tmp_path)
