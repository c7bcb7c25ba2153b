"""The report: pictures that can be read, a page that stands alone, and files that cannot be drawn."""

from __future__ import annotations

import base64
import json
import re
import sys
from html.parser import HTMLParser
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from matplotlib.text import Annotation

from scenewise.eval.figures import Ranking, Speed, draw_groups, draw_growth, draw_quality
from scenewise.eval.report import write_report
from scenewise.store.errors import InputError, NotFound

RESULTS = Path(__file__).resolve().parents[2] / "eval" / "results"
PNG = b"\x89PNG\r\n\x1a\n"
MODELS = {
    "popularity": (0.018, 0.05),
    "recent_popularity": (0.019, 0.06),
    "trending": (0.019, 0.06),
    "item_knn": (0.043, 0.4),
    "user_knn": (0.042, 0.41),
    "rp3beta": (0.0425, 0.39),
    "ease": (0.05, 2.6),
    "als": (0.049, 2.5),
    "transition_knn": (0.0595, 0.5),
    "next_knn": (0.0590, 0.5),
    "transition_knn, order shuffled": (0.024, 0.5),
    "transformer": (0.0596, 700.0),
    "transformer, no graph": (0.0594, 690.0),
    "final list <of $all$>": (0.067, 760.0),
}


def ranking(**more: Any) -> dict[str, Any]:
    """A result such as `scenewise eval ranking` writes."""
    rows = [
        {
            "model": model,
            "ndcg@10": quality,
            "recall@20": 2 * quality,
            "coverage": 0.4,
            "fit_cpu_s": cost,
            "cpu_s": 0.1 * cost,
            "by_history": [{"group": group, "n": 1200, "recall@10": quality * f} for group, f in (("0", 0.3), ("1-5", 0.8), (">100", 1.3))],
            "by_popularity": [{"group": group, "n": 900, "recall@10": quality * f} for group, f in (("head", 1.9), ("new", 0.0))],
        }
        for model, (quality, cost) in MODELS.items()
    ]
    comparison = {"model": "final list <of $all$>", "best_other": "transformer", "metric": "ndcg@10"}
    return {"dataset": "some <set>", "protocol": {"split": "leave_one_out"}, "rows": rows, "comparison": comparison} | more


def speed() -> dict[str, Any]:
    """A result of the growth benchmark; one measure is missing for one model."""
    sizes = (10**4, 10**5, 10**6, 10**7)
    rows = [{"model": "als", "events": n, "cpu_s": n / 1e6, "rss_mb": 100 + n / 1e4, "query_ms": 0.3} for n in sizes]
    return {"rows": rows + [{"model": "ease", "events": n, "cpu_s": n / 2e6} for n in sizes]}


def write(folder: Path, **files: Any) -> Path:
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        (folder / f"{name.replace('_', '-')}.json").write_text(
            content if isinstance(content, str) else json.dumps(content), encoding="utf-8"
        )
    return folder


class Page(HTMLParser):
    """Reads the page's images, cells and headings, and counts what is not closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.images: list[dict[str, str | None]] = []
        self.words: list[str] = []
        self.links: list[str | None] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.links += [value for name, value in attrs if name in ("src", "href")]
        if tag == "img":
            self.images.append(dict(attrs))
        elif tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data.strip())


def test_the_page_stands_alone_and_holds_pictures_and_figures(tmp_path: Path) -> None:
    results = write(tmp_path / "results", ranking_beauty=ranking(), speed_synthetic=speed(), turns_off={"failures": {}})
    written = write_report(results, tmp_path / "new" / "report")
    assert [path.name for path in written] == ["quality.png", "growth.png", "recall-beauty.png", "index.html"]
    assert all(path.read_bytes().startswith(PNG) for path in written[:-1])
    page = Page(written[-1].read_text(encoding="utf-8"))
    assert page.open == []
    assert all(link is not None and link.startswith("data:image/png;base64,") for link in page.links)
    assert [base64.b64decode(str(image["src"]).split(",")[1]) for image in page.images] == [path.read_bytes() for path in written[:-1]]
    alts = [str(image["alt"]) for image in page.images]
    assert "best NDCG@10 is 0.0670, of final list <of $all$> at 836.00 CPU s" in alts[0]
    assert "als: 0.01 CPU s at 10,000 events, 10 at 10,000,000." in alts[1]
    assert "0 0.020, 1-5 0.054, >100 0.087, head 0.127, new 0.000" in alts[2]
    assert {"some <set> (leave one out)", "final list <of $all$>", "0.0595", "836.00", "10,000,000", "1-5 (n 1,200)"} <= {*page.words}


def test_what_was_measured_is_drawn(tmp_path: Path) -> None:
    assert write_report(RESULTS, tmp_path)[-1].name == "index.html"


def test_every_model_has_a_name_that_covers_nothing() -> None:
    result = Ranking.model_validate(ranking())
    figure = draw_quality([result, result, result])
    panels = figure.axes
    assert len(panels) == 3
    for panel in panels:
        names = [child for child in panel.get_children() if isinstance(child, Annotation) and child.get_text()]
        assert sorted(name.get_text() for name in names) == sorted(model.replace("$", r"\$") for model in MODELS)
        boxes = [name.get_window_extent() for name in names]
        assert not [1 for one, other in combinations(boxes, 2) if one.overlaps(other)]
        points = [panel.transData.transform((1.1 * cost, quality)) for quality, cost in MODELS.values()]
        assert not [1 for box in boxes for point in points if box.contains(*point)]
        inside = panel.get_window_extent()
        assert all(inside.x0 <= box.x0 and box.x1 <= inside.x1 and inside.y0 <= box.y0 and box.y1 <= inside.y1 for box in boxes)


def test_lines_of_growth_are_told_apart_without_colours() -> None:
    figure = draw_growth([Speed.model_validate(speed())])
    first, *_, last = figure.axes
    assert len(first.lines) == 2
    assert len(last.lines) == 1, "a measure that is missing is not drawn"
    assert (
        len({(line.get_color()) for line in first.lines}) == len({(line.get_marker(), line.get_linestyle()) for line in first.lines}) == 2
    )
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["als", "ease"]


def test_groups_show_ours_the_best_other_and_popularity() -> None:
    figure = draw_groups(Ranking.model_validate(ranking()))
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names[:3] == [r"final list <of \$all\$>", "transformer", "popularity"]
    assert len(names) == 5


def test_a_set_decided_by_recall_is_drawn_by_recall() -> None:
    result = Ranking.model_validate(ranking(comparison={"model": "ease", "metric": "recall@20"}))
    assert result.metric == "Recall@20"
    assert draw_quality([result]).axes[0].get_ylabel() == "Recall@20"


def test_models_without_cost_or_quality_are_drawn_too(tmp_path: Path) -> None:
    rows = [{"model": name, "ndcg@10": 0.0, "cpu_s": 0.0} for name in ("one", "same place")]
    written = write_report(write(tmp_path, ranking_x=ranking(rows=rows, comparison={}, protocol={})), tmp_path / "out")
    assert [path.name for path in written] == ["quality.png", "index.html"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("{", "Invalid JSON"),
        ("[]", "the file"),
        ({"dataset": "x"}, "rows"),
        (ranking(rows=[]), "rows"),
        (ranking(rows=[{"model": "m", "ndcg@10": 0.1}]), "rows.0.cpu_s"),
        (ranking(rows=[{"model": "m", "ndcg@10": 0.1, "cpu_s": -1}]), "rows.0.cpu_s"),
        ('{"dataset": "x", "rows": [{"model": "m", "ndcg@10": NaN, "cpu_s": 1}]}', "rows.0.ndcg@10"),
    ],
)
def test_a_file_that_is_no_result_is_named(tmp_path: Path, content: Any, says: str) -> None:
    with pytest.raises(InputError, match=rf"ranking-bad\.json.*{re.escape(says)}"):
        write_report(write(tmp_path, ranking_bad=content), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_nothing_to_draw(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="eval ranking"):
        write_report(tmp_path, tmp_path / "out")
    with pytest.raises(NotFound, match="folder"):
        write_report(tmp_path / "nowhere", tmp_path / "out")


def test_without_matplotlib_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(InputError, match=r"scenewise\[report\]"):
        write_report(RESULTS, tmp_path)
