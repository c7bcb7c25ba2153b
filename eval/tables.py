"""The README's tables, made from the results in eval/results, so that no figure is typed by hand."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).resolve().parent / "results"
_BLOCK = re.compile(r"(<!-- table:(\w+) -->\n).*?(<!-- end -->)", flags=re.DOTALL)


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
        "| model | HR@10 | NDCG@10 | Recall@20 | coverage@10 | CPU s to fit |",
        "|---|---|---|---|---|---|",
    ]
    for row in data["rows"]:
        name = f"**{row['model']}**" if row["model"] == ours else row["model"]
        figures = (f"{row[key]:.3f}" for key in ("hr@10", "recall@20", "coverage"))
        hit, recall, coverage = figures
        lines.append(f"| {name} | {hit} | {row['ndcg@10']:.4f} | {recall} | {coverage} | {row['fit_cpu_s']:.1f} |")
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


TABLES: Mapping[str, Callable[[Path], str]] = {"ranking": ranking_table, "turns": turns_table}


def _read(results: Path, name: str) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((results / f"{name}.json").read_text(encoding="utf-8"))
    return data
