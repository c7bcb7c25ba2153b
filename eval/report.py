"""Pictures of what was measured: quality against cost, growth with the data, recall by history and popularity. PNG files and one page.

It reads the JSON files of a results folder: `ranking-*.json` as `scenewise eval ranking` writes them, and `speed-*.json` with `rows` of
{model, events, cpu_s, rss_mb, query_ms}, of which the last three may be missing. Other files are left alone.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel, ValidationError

from scenewise.eval.figures import MEASURES, Ranking, Speed, draw_groups, draw_growth, draw_quality, lines_of, told_apart
from scenewise.store.errors import InputError, NotFound

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_T = TypeVar("_T", bound=BaseModel)


def write_report(results: Path, out: Path) -> list[Path]:
    """Draw all results into the folder `out`: PNG files and `index.html`, which holds pictures and figures and needs nothing else.

    Returns what was written, the page last. InputError where a file cannot be read as a result or matplotlib is missing; NotFound where
    there is no such folder or nothing in it to draw.
    """
    if find_spec("matplotlib") is None:
        raise InputError("The report needs matplotlib: install it with `pip install 'scenewise[report]'`.")
    rankings, speeds = _read(results, "ranking-*.json", Ranking), _read(results, "speed-*.json", Speed)
    if not rankings and not speeds:
        raise NotFound("There is no ranking-*.json or speed-*.json to draw in this folder: `scenewise eval ranking --out` makes one.")
    out.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    page: list[str] = []

    def add(name: str, heading: str, figure: Figure, alt: str, tables: Sequence[str]) -> None:
        png = _png(figure)
        written.append(out / f"{name}.png")
        written[-1].write_bytes(png)
        page.append(_section(heading, png, alt, tables))

    if rankings:
        add("quality", "Quality against cost", draw_quality(rankings), _quality_alt(rankings), [_quality_table(one) for one in rankings])
    if speeds:
        add("growth", "Growth with the number of events", draw_growth(speeds), _growth_alt(speeds), [_growth_table(one) for one in speeds])
    for one in rankings:
        if any(row.by_history or row.by_popularity for row in one.rows):
            tables = [_group_table(one, "by_history", "events of the user"), _group_table(one, "by_popularity", "popularity of the item")]
            add(f"recall-{one.name}", f"Who and what is served: {one.title}", draw_groups(one), _groups_alt(one), tables)
    written.append(out / "index.html")
    written[-1].write_text(_PAGE.replace("BODY", "\n".join(page)), encoding="utf-8")
    return written


def _read(folder: Path, pattern: str, kind: type[_T]) -> list[_T]:
    if not folder.is_dir():
        raise NotFound("There is no such folder of results.")
    found = []
    for path in sorted(folder.glob(pattern)):
        try:
            read = kind.model_validate_json(path.read_bytes())
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"])) or "the file"
            raise InputError(f"{path.name} is not a result that can be drawn: {where}: {first['msg']}.") from error
        found.append(read.model_copy(update={"name": path.stem.partition("-")[2]}))
    return found


def _png(figure: Figure) -> bytes:
    file = BytesIO()
    figure.savefig(file, format="png")
    return file.getvalue()


def _quality_alt(rankings: Sequence[Ranking]) -> str:
    said = []
    for one in rankings:
        best = max(one.rows, key=one.quality)
        cheap = min((row for row in one.rows if one.quality(row) >= 0.9 * one.quality(best)), key=lambda row: row.cost_s)
        said.append(
            f"On {one.title} the best {one.metric} is {one.quality(best):.4f}, of {best.model} at {best.cost_s:.2f} CPU s; "
            f"the cheapest within a tenth of it is {cheap.model} at {cheap.cost_s:.2f} CPU s."
        )
    return f"Points of models, quality upwards, CPU seconds on a logarithmic axis to the right. {' '.join(said)}"


def _growth_alt(speeds: Sequence[Speed]) -> str:
    said = []
    for model, steps in lines_of(speeds).items():
        ends = [(step.events, step.cpu_s) for step in steps if step.cpu_s is not None]
        if ends:
            said.append(f"{model}: {ends[0][1]:.3g} CPU s at {ends[0][0]:,} events, {ends[-1][1]:.3g} at {ends[-1][0]:,}.")
    return f"Lines of CPU seconds, memory and milliseconds a query against the number of events, all axes logarithmic. {' '.join(said)}"


def _groups_alt(ranking: Ranking) -> str:
    said = []
    for row in told_apart(ranking)[:2]:
        figures = [f"{one.group} {one.recall:.3f}" for one in (*row.by_history, *row.by_popularity)]
        said.append(f"{row.model}: {', '.join(figures)}.")
    return f"Recall@10 by the user's number of events and by the item's popularity. {' '.join(said)}"


def _quality_table(ranking: Ranking) -> str:
    rows = [
        (row.model, f"{row.ndcg:.4f}", _figure(row.recall, ".4f"), _figure(row.coverage, ".3f"), f"{row.fit_cpu_s + row.cpu_s:.2f}")
        for row in ranking.rows
    ]
    return _table(ranking.title, ("model", "NDCG@10", "Recall@20", "coverage@10", "CPU s"), rows)


def _growth_table(speed: Speed) -> str:
    rows = [(row.model, f"{row.events:,}", *(_figure(getattr(row, key), ".3g") for key in MEASURES)) for row in speed.rows]
    return _table(speed.name, ("model", "events", *MEASURES.values()), rows)


def _group_table(ranking: Ranking, key: str, words: str) -> str:
    names = list(dict.fromkeys(f"{one.group} (n {one.n:,})" for row in ranking.rows for one in getattr(row, key)))
    rows = []
    for row in ranking.rows:
        told = {f"{one.group} (n {one.n:,})": f"{one.recall:.3f}" for one in getattr(row, key)}
        rows.append((row.model, *(told.get(name, "") for name in names)))
    return _table(f"Recall@10 by {words}", ("model", *names), rows)


def _figure(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)


def _table(caption: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    top = "".join(f'<th scope="col">{escape(head)}</th>' for head in heads)
    body = "".join(
        f'<tr><th scope="row">{escape(row[0])}</th>' + "".join(f"<td>{escape(cell)}</td>" for cell in row[1:]) + "</tr>" for row in rows
    )
    return f"<table><caption>{escape(caption)}</caption><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"


def _section(heading: str, png: bytes, alt: str, tables: Sequence[str]) -> str:
    image = f'<img alt="{escape(alt)}" src="data:image/png;base64,{base64.b64encode(png).decode()}">'
    return f"<section><h2>{escape(heading)}</h2>{image}{''.join(tables)}</section>"


_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Scenewise: what was measured</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; color: #1a1a1a; background: #fff }
img { max-width: 100%; height: auto; border: 1px solid #ddd }
table { border-collapse: collapse; margin: 1rem 0 2rem; font-size: 0.9rem; display: block; overflow-x: auto }
caption { text-align: left; font-weight: 600; padding: 0.3rem 0 }
th, td { padding: 0.2rem 0.8rem 0.2rem 0; border-bottom: 1px solid #ddd; text-align: right; font-variant-numeric: tabular-nums }
th:first-child { text-align: left; font-weight: 400 }
thead th, thead th:first-child { font-weight: 600 }
</style>
</head>
<body>
<h1>What was measured</h1>
BODY
</body>
</html>
"""
