"""What is demanded of the recommenders and what was measured, a row each: made from the results, so that no figure is typed by hand."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Data = Mapping[str, Any]
_NONE = "not measured"


@dataclass(frozen=True)
class Bar:
    """A demand in words, the result's file (without .json) and how the figure is read out of it."""

    what: str
    floor: str
    aim: str
    result: str
    read: Callable[[Data], str]


def bars_table(results: Path) -> str:
    """Put every demand beside its figure."""
    lines = ["| bar | floor | aim | measured | seeds | result |", "|---|---|---|---|---|---|"]
    for bar in BARS:
        path = results / f"{bar.result}.json"
        if not path.is_file():
            lines.append(f"| {bar.what} | {bar.floor} | {bar.aim} | {_NONE} | | |")
            continue
        data = json.loads(path.read_text(encoding="utf-8"))
        lines.append(f"| {bar.what} | {bar.floor} | {bar.aim} | {bar.read(data)} | {_seeds(data)} | `{bar.result}` |")
    return "\n".join(lines)


def _seeds(data: Data) -> str:
    if "seeds" in data:
        return str(len(data["seeds"]))
    return str(max((row["seeds"] for row in data.get("rows", ()) if "seeds" in row), default=1))


def _row(data: Data, model: str, inputs: str | None = None) -> Data:
    found: list[Data] = [row for row in data["rows"] if row["model"] == model and inputs in (None, row.get("inputs"))]
    return found[0]


def _single(model: str, metric: str = "ndcg@10") -> Callable[[Data], str]:
    def read(data: Data) -> str:
        row = _row(data, model)
        low, high = row.get(f"{metric}_95", (None, None))
        interval = "" if low is None else f" [{low:.4f}, {high:.4f}]"
        return f"{row[metric]:.4f}{interval}, {row['fit_cpu_s']:.1f} CPU s"

    return read


def _final(data: Data) -> str:
    comparison = data["comparison"]
    metric, best = comparison["metric"], comparison["best_other"]
    gain = comparison["against"][best]
    told = f"{gain['mean']:+.4f} [{gain['low']:.4f}, {gain['high']:.4f}]"
    ours, other = _row(data, comparison["model"]), _row(data, best)
    single = [row for row in data["rows"] if "shuffled" not in row["model"] and row is not ours]
    widest = max(
        (row for row in single if row[metric] > other[metric] - (ours[metric] - other[metric])), key=lambda row: float(row["coverage"])
    )
    covered = ours["coverage"] / widest["coverage"] - 1
    return f"{ours[metric]:.4f}; {told} against {best}, p {gain['p_holm']:.3f}; coverage {covered:+.0%} against {widest['model']}"


def _best(models: tuple[str, ...], metric: str) -> Callable[[Data], str]:
    def read(data: Data) -> str:
        row = max((_row(data, model) for model in models), key=lambda one: float(one[metric]))
        return f"{row['model']} {row[metric]:.4f}, {row['fit_cpu_s']:.1f} CPU s"

    return read


def _with_moment(model: str, metric: str) -> Callable[[Data], str]:
    def read(data: Data) -> str:
        row, bare = _row(data, model, "all"), _row(data, model, "without the moment")
        low, high = row[f"{metric}_95"]
        return f"{row[metric]:.4f} [{low:.4f}, {high:.4f}]; without the moment {bare[metric]:.4f}"

    return read


def _group(name: str) -> Callable[[Data], str]:
    def read(data: Data) -> str:
        group = data if name == "" else data["groups"][name] if "groups" in data else data[name]
        comparison = group["comparison"]
        ours = _row(group, comparison["model"])
        told = [
            f"{gain['mean']:+.4f} [{gain['low']:.4f}, {gain['high']:.4f}] against {other}" for other, gain in comparison["against"].items()
        ]
        return f"{ours['ndcg@10']:.4f}; " + ", ".join(told)

    return read


def _domains(data: Data) -> str:
    told = []
    for domain, group in data["groups"].items():
        gain = group["comparison"]["against"]["popularity"]
        told.append(f"{domain} {gain['mean']:+.3f} [{gain['low']:.3f}, {gain['high']:.3f}]")
    return "; ".join(told)


def _scenes(data: Data) -> str:
    everything = data["rows"][-1]
    blind, own = everything["against_blind"], everything["against_own"]
    lost = ", ".join(data["scenes_that_lose"]) or "none"
    return (
        f"{everything['one, sees the scene']:.4f}; {blind['mean']:+.4f} [{blind['low']:.4f}, {blind['high']:.4f}] against a blind one, "
        f"{own['mean']:+.4f} [{own['low']:.4f}, {own['high']:.4f}] against one a scene; scenes that lose: {lost}"
    )


def _ratios(data: Data) -> str:
    return ", ".join(f"{what} {pair['ratio']:.2f}" for what, pair in data["paired"].items())


def _largest(data: Data) -> str:
    whole = max((row for row in data["rows"] if row["model"] == "all of it"), key=lambda row: int(row["events"]))
    return f"{whole['events']:,} events: {whole['cpu_s']:.0f} CPU s, {whole['rss_mb'] / 1024:.2f} GB"


def _own_ms(data: Data) -> str:
    return f"p50 {data['own_ms']['p50']:.0f} ms, p99 {data['own_ms']['p99']:.0f} ms"


BARS = (
    Bar("transition kNN, Beauty NDCG@10", ".061 in 1 CPU s", "", "ranking-beauty", _single("transition_knn")),
    Bar("the same with the order shuffled", "", "", "ranking-beauty", _single("transition_knn, order shuffled")),
    Bar("transition kNN, Sports NDCG@10", ".037 in 1 CPU s", "", "ranking-sports", _single("transition_knn")),
    Bar("ranker alone, Beauty NDCG@10", ".050 in 15 CPU min", ".059", "ranking-beauty", _single("transformer")),
    Bar("final list, Beauty NDCG@10", "above every source", ".068", "ranking-beauty", _final),
    Bar("final list, Sports NDCG@10", "above every source", ".042", "ranking-sports", _final),
    Bar("final list, ML-1M LOO NDCG@10", "above every source", ".19", "ranking-ml-1m", _final),
    Bar("final list, ML-100k temporal NDCG@10", "above every baseline", "", "ranking-ml-100k-temporal", _final),
    Bar("final list, ML-1M temporal NDCG@10", "above every baseline", "", "ranking-ml-1m-temporal", _final),
    Bar(
        "ALS or better, Amazon-Book Recall@20",
        ".160 in 40 CPU s",
        "> .169",
        "ranking-amazon-book",
        _best(("als", "rp3beta", "item_knn"), "recall@20"),
    ),
    Bar("FM, Frappe AUC (the part at hand, cut 7:2:1)", ".967", ".975", "ctr-frappe", _with_moment("fm", "auc")),
    Bar("DeepFM, Frappe AUC (the part at hand, cut 7:2:1)", ".980", ".987", "ctr-frappe", _with_moment("deepfm", "auc")),
    Bar("SiTunes Stage 2 AUC, FM", ".82", ".85", "ctr-situnes", _with_moment("fm", "auc")),
    Bar("SiTunes Stage 2 AUC, DeepFM", ".82", ".85", "ctr-situnes", _with_moment("deepfm", "auc")),
    Bar("rating with context, DePaulMovie RMSE", "below 1.168", "", "rating-depaul", _with_moment("fm", "rmse")),
    Bar("graph, Last.FM, known items NDCG@10", "above none and random", "", "graph-value-lastfm", _group("known_items")),
    Bar("graph alone, Last.FM, known items", "above none and random", "", "graph-value-lastfm", _group("graph_alone")),
    Bar("graph, Last.FM, new items", "a gain", "", "graph-value-lastfm", _group("new_items")),
    Bar("graph, ML-100k, known items NDCG@10", "above none and random", "", "graph-value-ml-100k", _group("known_items")),
    Bar("graph, ML-100k, new items", "a gain", "", "graph-value-ml-100k", _group("new_items")),
    Bar(
        "new items, ml-latest-small + redial-kg",
        "above content-kNN and popularity",
        "",
        "cold-items-ml-latest-small",
        _group("new items"),
    ),
    Bar("new to a domain, Frappe, gain over popularity", "above 0 everywhere", "", "cold-domains-frappe", _domains),
    Bar("one model for all scenes, Frappe by daytime and weekend", "no scene loses", "", "cross-scene-frappe", _scenes),
    Bar("CPU time beside implicit", "1.1", "less", "speed", _ratios),
    Bar("10^7 events end to end", "150 CPU s, 4 GB", "", "speed", _largest),
    Bar("whole turn without LLM, 20,000 items", "p50 30, p99 80 ms", "15/40 ms", "latency", _own_ms),
)
