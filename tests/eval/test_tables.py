"""The README's tables are those of the results."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenewise.eval.tables import fill

README = Path(__file__).resolve().parents[2] / "README.md"


def test_the_readme_shows_the_results_as_they_are() -> None:
    text = README.read_text(encoding="utf-8")
    assert text.count("<!-- table:") == 2
    assert fill(text) == text, "run `scenewise eval tables`"


def test_an_unknown_table_is_refused() -> None:
    with pytest.raises(KeyError):
        fill("<!-- table:nothing -->\n<!-- end -->")
