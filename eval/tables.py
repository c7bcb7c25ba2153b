"""The tables of the README and of docs/benchmarks.md, made from the results in eval/results, so that no figure is typed by hand."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from scenewise.eval.bars import bars_table
from scenewise.eval.tables_agent import conversations_table, copy_table, plans_table, simulations_table

RESULTS = Path(__file__).resolve().parent / "results"
_BLOCK = re.compile(r"(<!-- table:([\w-]+) -->\n).*?(<!-- end -->)", flags=re.DOTALL)


def fill(text: str, results: Path = RESULTS) -> str:
    """Put the current tables between the marks `<!-- table:NAME -->` and `<!-- end -->`; KeyError for an unknown name."""
    return _BLOCK.sub(lambda match: f"{match[1]}\n{TABLES[match[2]](results)}\n{match[3]}", text)


def ranking_table(results: Path) -> str:
    """A table for each ranking-*.json: a row a model, then how the final list compares with the best other one."""
    return "\n\n".join(_ranking(_read(results, path.stem)) for path in sorted(results.glob("ranking-*.json")))


def _ranking(data: Mapping[str, Any]) -> str:
    comparison, counts = data["comparison"], data["counts"]
    ours, best = comparison["model"], comparison["best_other"]
    against = comparison["against"][best]
    questions, n_seeds = round(sum(counts["questions"]) / len(counts["questions"])), len(data["seeds"])
    seeds = f"{n_seeds} seeds" if n_seeds > 1 else "1 seed"
    lines = [
        f"**{data['dataset']}**, {data['protocol']['split']}: {counts['items']:,} items, {questions:,} questions, {seeds}",
        "",
        "| model | HR@10 | NDCG@10 | 95% | Recall@20 | coverage@10 | CPU s to fit |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in data["rows"]:
        name = f"**{row['model']}**" if row["model"] == ours else row["model"]
        figures = (f"{row[key]:.3f}" for key in ("hr@10", "recall@20", "coverage"))
        hit, recall, coverage = figures
        interval = _interval(row.get("ndcg@10_95"))
        lines.append(f"| {name} | {hit} | {row['ndcg@10']:.4f} | {interval} | {recall} | {coverage} | {row['fit_cpu_s']:.1f} |")
    gain = f"{against['mean']:+.4f}, 95% interval [{against['low']:.4f}, {against['high']:.4f}]"
    lines += ["", f"The {ours} against {best} by {comparison['metric']}: {gain}, p = {against['p_holm']:.3f} after Holm's correction."]
    return "\n".join(lines)


def turns_table(results: Path) -> str:
    """Whole turns: what must not happen, and our own milliseconds."""
    heads = ("200 generated turns", "outside catalogue", "copy and list disagree", "plan not executable", "no answer", "LLM rounds")
    lines = [f"| {' | '.join(heads)} | own p50 / p95 ms |", "|---" * 7 + "|"]
    labels = {"turns-llm": "with the real small model", "turns-off": "without an LLM", "turns-down": "LLM server down"}
    for name, label in labels.items():
        data = _read(results, name)
        bad, own = data["failures"], data["own_ms"]
        counts = [bad[key] for key in ("outside_catalogue", "copy_and_list_disagree", "plan_not_executable", "no_answer")]
        lines.append(f"| {label} | {' | '.join(map(str, counts))} | <= {data['llm_rounds_max']} | {own['p50']:.0f} / {own['p95']:.0f} |")
    return "\n".join(lines)


def labels_table(results: Path) -> str:
    """Click-through and ratings: a table a set, a row a model and choice of inputs."""
    return "\n\n".join(_labels(_read(results, path.stem)) for kind in ("ctr", "rating") for path in sorted(results.glob(f"{kind}-*.json")))


def _labels(data: Mapping[str, Any]) -> str:
    names = ("auc", "log_loss", "ece") if data["what"] == "ctr" else ("rmse", "mae")
    set_ = data["dataset"]
    lines = [f"**{set_['name']}** ({data['what']}): {set_['rows']:,} rows, {set_['users']:,} users, {set_['items']:,} items", ""]
    lines += [f"| model | inputs | {' | '.join(names)} | 95% of {names[0]} | seeds | CPU s |", "|---" * (len(names) + 5) + "|"]
    for row in data["rows"]:
        figures = " | ".join(f"{row[name]:.4f}" for name in names)
        interval = _interval(row[f"{names[0]}_95"])
        lines.append(f"| {row['model']} | {row['inputs']} | {figures} | {interval} | {row['seeds']} | {row['cpu_s']:.1f} |")
    return "\n".join(lines)


def groups_table(results: Path) -> str:
    """Cold starts and the graph's value: a table a set and group of questions."""
    names = [path.stem for kind in ("cold", "graph-value") for path in sorted(results.glob(f"{kind}-*.json"))]
    return "\n\n".join(_groups(_read(results, name)) for name in names)


def _groups(data: Mapping[str, Any]) -> str:
    found = data["groups"] if "groups" in data else {name: one for name, one in data.items() if isinstance(one, dict) and "rows" in one}
    tables = []
    for name, group in found.items():
        comparison = group["comparison"]
        lines = [
            f"**{data['dataset']}**, {name.replace('_', ' ')}: {round(sum(group['questions']) / len(group['questions'])):,} questions",
            "",
        ]
        lines += [
            f"| model | HR@10 | NDCG@10 | Recall@20 | {comparison['model']} against it, NDCG@10 | p (Holm) |",
            "|---|---|---|---|---|---|",
        ]
        for row in group["rows"]:
            gain = comparison["against"].get(row["model"])
            told = f"{gain['mean']:+.4f} {_interval((gain['low'], gain['high']))} | {gain['p_holm']:.4f}" if gain else " | "
            lines.append(f"| {row['model']} | {row['hr@10']:.3f} | {row['ndcg@10']:.4f} | {row['recall@20']:.3f} | {told} |")
        tables.append("\n".join(lines))
    return "\n\n".join(tables)


def scenes_table(results: Path) -> str:
    """One model for all scenes beside a blind one and one a scene: NDCG@10."""
    tables = []
    for path in sorted(results.glob("cross-scene-*.json")):
        data = _read(results, path.stem)
        names = ("one, sees the scene", "one, blind to it", "one a scene")
        lines = [f"**{data['dataset']}**, {data['protocol']['scenes']}, {len(data['seeds'])} seeds", ""]
        lines += [f"| scene | questions | {' | '.join(names)} | against blind | against one a scene |", "|---" * 7 + "|"]
        for row in data["rows"]:
            gains = [
                f"{row[pair]['mean']:+.4f} {_interval((row[pair]['low'], row[pair]['high']))}" for pair in ("against_blind", "against_own")
            ]
            figures = " | ".join(f"{row[name]:.4f}" for name in names)
            lines.append(f"| {row['scene']} | {row['questions']:,} | {figures} | {' | '.join(gains)} |")
        tables.append("\n".join(lines))
    return "\n\n".join(tables)


def scene_moments_table(results: Path) -> str:
    """The gold set of moments: with all signals and without each, by who decides and by language, and abstaining."""
    data = _read(results, "scene-moments")
    lines = [f"{data['n_cases']} cases of the half `{data['split']}`", "", "| signals | macro-F1 | accuracy | ECE |", "|---" * 4 + "|"]
    rows = list(data["signals"].items())
    rows += [(f"all, cases decided by {part}", row) for part, row in data["by_decided_by"].items()]
    rows += [(f"all, cases in {part}", row) for part, row in data["by_lang"].items()]
    lines += [f"| {name} | {row['macro_f1']:.3f} | {row['accuracy']:.3f} | {row['ece']:.3f} |" for name, row in rows]
    lines += ["", "| answered from a probability of | share answered | right of those |", "|---" * 3 + "|"]
    return "\n".join([*lines, *(f"| {row['threshold']} | {row['coverage']:.3f} | {row['accuracy']:.3f} |" for row in data["abstention"])])


def scene_value_table(results: Path) -> str:
    """AUC of one model told the true scene, the recognised one, and none."""
    lines = ["| set | true scene | inputs | AUC | log loss | true minus this |", "|---" * 6 + "|"]
    for path in sorted(results.glob("scene-value-*.json")):
        data = _read(results, path.stem)
        for row in data["rows"]:
            gain = f"{row['true_minus_this']:+.4f} {_interval(row['true_minus_this_95'])}" if "true_minus_this" in row else ""
            names = ", ".join(data["dataset"]["true_scene"])
            lines.append(f"| {data['dataset']['name']} | {names} | {row['inputs']} | {row['auc']:.4f} | {row['log_loss']:.4f} | {gain} |")
    return "\n".join(lines)


def speed_table(results: Path) -> str:
    """CPU seconds to fit and milliseconds to ask, by events."""
    if not (results / "speed.json").is_file():
        return ""
    data = _read(results, "speed")
    lines = ["| events | model | CPU s to fit | ms a query |", "|---|---|---|---|"]
    for row in data["rows"]:
        query = f"{row['query_ms']:.2f}" if "query_ms" in row else f"{row['rss_mb']:,} MB at most"
        lines.append(f"| {row['events']:,} | {row['model']} | {row['cpu_s']:.2f} | {query} |")
    return "\n".join(lines)


def _interval(bounds: Sequence[float] | None) -> str:
    return "" if bounds is None else f"[{bounds[0]:.4f}, {bounds[1]:.4f}]"


TABLES: Mapping[str, Callable[[Path], str]] = {
    "bars": bars_table,
    "conversations": conversations_table,
    "copy": copy_table,
    "plans": plans_table,
    "simulations": simulations_table,
    "ranking": ranking_table,
    "labels": labels_table,
    "groups": groups_table,
    "scenes": scenes_table,
    "scene-moments": scene_moments_table,
    "scene-value": scene_value_table,
    "speed": speed_table,
    "turns": turns_table,
}


def _read(results: Path, name: str) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((results / f"{name}.json").read_text(encoding="utf-8"))
    return data
