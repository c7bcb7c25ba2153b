"""What the report draws: results as files hold them, and their pictures."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MEASURES: Mapping[str, str] = MappingProxyType({"cpu_s": "CPU seconds", "rss_mb": "peak memory, MB", "query_ms": "ms a query"})
# Okabe & Ito's palette, told apart with any colour vision; shapes and dashes repeat what the colours say.
_COLOURS = ("#D55E00", "#0072B2", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_SHAPES = ("*", "o", "s", "^", "D", "v", "P")
_DASHES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 1)))
_GREY = "#555555"
_SHOWN = 5  # models in a picture of groups: more cannot be told apart
_PLACES = tuple(
    (right * far, up * far)
    for far in (9, 16, 25, 36, 50, 66)
    for right, up in ((1, 0), (-1, 0), (0, 1), (0, -1), (0.8, 0.8), (0.8, -0.8), (-0.8, 0.8), (-0.8, -0.8))
)


class Result(BaseModel):
    """What a file holds may be more than is drawn, but no infinite figure."""

    model_config = ConfigDict(allow_inf_nan=False)


class Group(Result):
    """How a model did on some of the questions."""

    group: str
    n: int
    recall: float = Field(alias="recall@10")


class Row(Result):
    """How a model did on a data set, and what it cost."""

    model: str
    cpu_s: float = Field(ge=0)
    fit_cpu_s: float = Field(0.0, ge=0)
    ndcg: float = Field(alias="ndcg@10")
    recall: float | None = Field(None, alias="recall@20")
    coverage: float | None = None
    by_history: list[Group] = []
    by_popularity: list[Group] = []

    @property
    def cost_s(self) -> float:
        """CPU seconds to fit and to answer; at least a hundredth, for the logarithm."""
        return max(self.fit_cpu_s + self.cpu_s, 0.01)


class Ranking(Result):
    """A `ranking-*.json`; `name` is that of the file."""

    name: str = ""
    dataset: str
    rows: list[Row] = Field(min_length=1)
    protocol: dict[str, Any] = {}
    comparison: dict[str, Any] = {}

    @property
    def title(self) -> str:
        """The data set and how it was split."""
        split = self.protocol.get("split") or self.protocol.get("name") or ""
        return f"{self.dataset} ({str(split).replace('_', ' ')})" if split else self.dataset

    @property
    def ours(self) -> str | None:
        """The model that the others are compared with."""
        return self.comparison.get("model") or next((row.model for row in self.rows if row.model == "fused"), None)

    @property
    def metric(self) -> str:
        """What decides on this set."""
        return "Recall@20" if self.comparison.get("metric") == "recall@20" and all(r.recall is not None for r in self.rows) else "NDCG@10"

    def quality(self, row: Row) -> float:
        """A model's figure by the deciding metric."""
        return row.recall or 0.0 if self.metric == "Recall@20" else row.ndcg


class Step(Result):
    """What a model cost at a number of events."""

    model: str
    events: int = Field(gt=0)
    cpu_s: float | None = Field(None, ge=0)
    rss_mb: float | None = Field(None, ge=0)
    query_ms: float | None = Field(None, ge=0)


class Speed(Result):
    """A `speed-*.json`; `name` is that of the file."""

    name: str = ""
    rows: list[Step] = Field(min_length=1)


def _panels(n: int, *, columns: int, width: float, height: float) -> tuple[Figure, list[Axes]]:
    """Make a figure of n panels of width x height inches."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    rows = -(-n // columns)
    figure = Figure(figsize=(width * min(n, columns), height * rows), layout="constrained", dpi=150)
    FigureCanvasAgg(figure)  # without pyplot: nothing global, no window
    axes = figure.subplots(rows, min(n, columns), squeeze=False).ravel().tolist()
    for spare in axes[n:]:
        spare.remove()
    for one in axes[:n]:
        one.grid(visible=True, color="#dddddd", linewidth=0.6)
        one.set_axisbelow(True)
        one.spines[["top", "right"]].set_visible(False)
    return figure, axes[:n]


def _text(words: str) -> str:
    """A name as a label: matplotlib would set what stands between dollars as a formula."""
    return words.replace("$", r"\$")


def draw_quality(rankings: Sequence[Ranking]) -> Figure:
    """Draw quality against cost: a panel a data set, every model a named point, and what nothing cheaper beats as a line."""
    figure, axes = _panels(len(rankings), columns=2, width=6.4, height=4.8)
    for ranking, panel in zip(rankings, axes, strict=True):
        for row in ranking.rows:
            ours = row.model == ranking.ours
            style: dict[str, Any] = (
                {"marker": "*", "s": 190, "color": _COLOURS[0]} if ours else {"marker": "o", "s": 40, "color": _COLOURS[1]}
            )
            panel.scatter(row.cost_s, ranking.quality(row), zorder=3, **style)
        front = _front(ranking)
        if len(front) > 1:
            panel.step(*zip(*front, strict=True), where="post", color=_GREY, linewidth=1, linestyle=":", zorder=2)
        panel.set_xscale("log")
        _whole_decades(panel.xaxis, [row.cost_s for row in ranking.rows], room=3.0)
        panel.margins(y=0.12)
        panel.set_ylim(bottom=0)
        panel.set_title(_text(ranking.title))
        panel.set_xlabel("CPU seconds to fit and to answer all questions")
        panel.set_ylabel(ranking.metric)
    figure.canvas.draw()  # places are known only then
    for ranking, panel in zip(rankings, axes, strict=True):
        _label(panel, [(row.cost_s, ranking.quality(row), row.model, row.model == ranking.ours) for row in ranking.rows])
    return figure


def _whole_decades(axis: Any, values: Sequence[float], *, room: float = 1.0) -> None:
    """End a logarithmic axis at powers of ten, with room for names on both sides, and write 0.1, 1, 10 beside it."""
    low, high = math.floor(math.log10(min(values) / room)), math.ceil(math.log10(max(values) * room))
    axis.axes.set(**{f"{axis.axis_name}lim": (10.0**low, 10.0 ** max(high, low + 1))})
    axis.set_major_formatter("{x:g}")
    axis.set_minor_formatter("")


def _front(ranking: Ranking) -> list[tuple[float, float]]:
    """What nothing cheaper beats, the cheapest first."""
    front: list[tuple[float, float]] = []
    for row in sorted(ranking.rows, key=lambda row: (row.cost_s, -ranking.quality(row))):
        if not front or ranking.quality(row) > front[-1][1]:
            front.append((row.cost_s, ranking.quality(row)))
    return front


def _label(panel: Axes, points: Sequence[tuple[float, float, str, bool]]) -> None:
    """Name points without covering a point or another name: the nearest free place is taken, with a line to it where it is far."""
    from matplotlib.transforms import Bbox

    renderer = panel.figure.canvas.get_renderer()  # type: ignore[attr-defined]  # the Agg canvas has one
    inside = panel.get_window_extent(renderer)
    taken = [Bbox.from_bounds(x - 9, y - 9, 18, 18) for x, y in (panel.transData.transform(point[:2]) for point in points)]
    for x, y, words, ours in sorted(points, key=lambda point: (not point[3], -point[1])):
        weight = "bold" if ours else "normal"
        label = panel.annotate(_text(words), (x, y), xytext=(0, 0), textcoords="offset points", fontsize=8, fontweight=weight, zorder=2.5)
        label.set_bbox({"facecolor": "white", "edgecolor": "none", "pad": 0.5, "alpha": 0.8})
        for right, up in _PLACES:
            label.set_position((right, up))
            label.set(
                ha="left" if right > 0 else "right" if right < 0 else "center", va="center" if right else "bottom" if up > 0 else "top"
            )
            box = label.get_window_extent(renderer)
            if inside.contains(box.x0, box.y0) and inside.contains(box.x1, box.y1) and not box.count_overlaps(taken):
                break
        taken.append(box)
        if abs(up) > 12 or abs(right) > 12:
            line = {"arrowstyle": "-", "color": "#999999", "linewidth": 0.6, "shrinkA": 1, "shrinkB": 4}
            panel.annotate("", (x, y), xytext=(right, up), textcoords="offset points", arrowprops=line, zorder=1)


def draw_growth(speeds: Sequence[Speed]) -> Figure:
    """Draw what the models cost against the number of events: CPU seconds, memory, milliseconds a query."""
    figure, axes = _panels(len(MEASURES), columns=3, width=4.4, height=4.4)
    for (key, words), panel in zip(MEASURES.items(), axes, strict=True):
        for number, (model, steps) in enumerate(lines_of(speeds).items()):
            known = [(step.events, value) for step in steps if (value := getattr(step, key)) is not None]
            panel.plot(*zip(*known, strict=True), label=_text(model), **_style(number)) if known else None
        panel.set(xscale="log", yscale="log", title=words, xlabel="events")
        values = [value for steps in lines_of(speeds).values() for step in steps if (value := getattr(step, key))]
        _whole_decades(panel.yaxis, values or [1.0])
    _legend(figure, axes)
    return figure


def lines_of(speeds: Sequence[Speed]) -> dict[str, list[Step]]:
    """The steps of each model by number of events; of several files, each model's name with the file's."""
    lines: dict[str, list[Step]] = {}
    for speed in speeds:
        for step in sorted(speed.rows, key=lambda step: step.events):
            lines.setdefault(step.model if len(speeds) == 1 else f"{step.model}, {speed.name}", []).append(step)
    return lines


def draw_groups(ranking: Ranking) -> Figure:
    """Draw recall by the history of users and by the popularity of items."""
    figure, axes = _panels(2, columns=2, width=5.6, height=4.4)
    for panel, key, words in zip(axes, ("by_history", "by_popularity"), ("user's events so far", "item's popularity"), strict=True):
        for number, row in enumerate(told_apart(ranking)):
            groups: list[Group] = getattr(row, key)
            panel.plot(
                [f"{one.group}\n(n {one.n:,})" for one in groups], [one.recall for one in groups], label=_text(row.model), **_style(number)
            )
        panel.set(xlabel=words, ylabel="Recall@10")
        panel.set_ylim(bottom=0)
    figure.suptitle(_text(ranking.title))
    _legend(figure, axes)
    return figure


def told_apart(ranking: Ranking) -> list[Row]:
    """Ours, the best other one, popularity, and then the best: as many as a picture can hold."""
    first = [ranking.ours, ranking.comparison.get("best_other") or ranking.comparison.get("best_single"), "popularity"]
    return sorted(ranking.rows, key=lambda row: (first.index(row.model) if row.model in first else len(first), -ranking.quality(row)))[
        :_SHOWN
    ]


def _style(number: int) -> dict[str, Any]:
    """Colour, shape and dash of the n-th line: no two alike among the first 49."""
    n = len(_COLOURS)
    look = {"color": _COLOURS[number % n], "marker": _SHAPES[number % n], "linestyle": _DASHES[(number + number // n) % n]}
    return look | {"linewidth": 1.6, "markersize": 9 if number % n == 0 else 6}


def _legend(figure: Figure, axes: Sequence[Axes]) -> None:
    named = {name: line for panel in axes for line, name in zip(*panel.get_legend_handles_labels(), strict=True)}
    if named:
        figure.legend(
            [*named.values()],
            [*named],
            loc="outside lower center",
            ncols=-(-len(named) // -(-len(named) // 5)),
            frameon=False,
            handlelength=3.5,
        )
