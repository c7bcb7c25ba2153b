"""The README's tables are those of the results."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenewise.eval.tables import fill

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("page", ["README.md", "docs/benchmarks.md"])
def test_pages_show_the_results_as_they_are(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    assert "<!-- table:" in text
    assert fill(text) == text, "run `scenewise eval tables`"


@pytest.mark.parametrize("name", ["nothing", "nothing-here"])
def test_an_unknown_table_is_refused(name: str) -> None:
    with pytest.raises(KeyError):
        fill(f"<!-- table:{name} -->\n<!-- end -->")
