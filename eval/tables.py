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
    """Leave-last-out on MovieLens-100k, a row a model."""
    data = _read(results, "ranking-ml-100k")
    lines = ["| model | HR@10 | NDCG@10 | Recall@20 | coverage@10 | CPU s |", "|---|---|---|---|---|---|"]
    for row in data["rows"]:
        name = f"**{row['model']}**" if row["model"] == "fused" else row["model"]
        figures = (f"{row[key]:.3f}" for key in ("hr@10", "ndcg@10", "recall@20", "coverage"))
        lines.append(f"| {name} | {' | '.join(figures)} | {row['cpu_s']:.1f} |")
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
