"""Tables of what the agent says and plans: plans, copy, conversations out of dialogue sets, simulated users."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

PLANNERS = {
    "turn": "within a turn (grammar and rules)",
    "llm": "the model alone (grammar)",
    "knn": "nearest known plans",
    "rules": "rules alone",
    "untrained": "untrained, tool calls as JSON",
    "react": "untrained, LangChain's loop of two calls",
}
_PLAN_KEYS = ("executable", "tool_f1", "whole", "arguments", "no_tool", "question_back", "update_without_cause")


def plans_table(results: Path) -> str:
    """A row a planner over all hand-written cases and one over the Chinese ones; shares with 95% intervals for all."""
    heads = (
        "planner",
        "cases",
        "executable",
        "tool F1",
        "whole",
        "arguments",
        "no tool",
        "question back",
        "needless update",
        "p50 / p95 s",
    )
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    found = {data["planner"]: data for data in (_read(path) for path in sorted(results.glob("plan-*.json")))}
    for planner, label in PLANNERS.items():
        if planner not in found:
            continue
        data = found[planner]
        seconds = f"{data['seconds']['p50']:.2f} / {data['seconds']['p95']:.2f}"
        halves, tags = data.get("by_half", {}), data["by_tag"]
        parts = [("all", data["all"], True)]
        parts += [
            (name, row, False) for name, row in (("test half", halves.get("test")), ("English", tags["en"]), ("Chinese", tags["zh"])) if row
        ]
        for name, row, is_all in parts:
            figures = " | ".join(_share(row[key], interval=is_all) for key in _PLAN_KEYS)
            lines.append(f"| {label if is_all else ''} | {name}, {row['n']} | {figures} | {seconds if is_all else ''} |")
    return "\n".join(lines)


def copy_table(results: Path) -> str:
    """A row a way of writing; files of copy for channels have other figures."""
    heads = ("copy", "items", "supported", "templates", "refused at first", "personal", "distinct-2", "characters")
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for path in sorted(results.glob("copy-*.json")):
        data = _read(path)
        for way in data.get("ways", ()):
            shares = " | ".join(f"{way[key]:.3f}" for key in ("supported", "template_rate", "refused_first", "personal", "distinct_2"))
            lines.append(f"| {data.get('model') or 'no model'}, {way['writing']} | {way['items']} | {shares} | {way['chars_mean']:.0f} |")
    return "\n".join(lines)


def conversations_table(results: Path) -> str:
    """Recall of the next item out of a conversation, new items only and all, with what the plain heuristic reaches."""
    heads = ("set", "targets", "model", "R@1", "R@5", "R@10", "R@20", "R@50", "MRR")
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for path in sorted(results.glob("conversation-*.json")):
        data = _read(path)
        for part in ("new", "all"):
            for model in ("fusion", "plain"):
                row = data[part][model]
                keys = [*(f"recall@{k}" for k in (1, 5, 10, 20, 50)), "mrr"]
                figures = " | ".join(f"{row[key]:.3f} {_bounds(row[f'{key}_95'])}" for key in keys)
                lines.append(f"| {path.stem.removeprefix('conversation-')} | {part}, {row['targets']:,} | {model} | {figures} |")
    return "\n".join(lines)


def simulations_table(results: Path) -> str:
    """Success within five turns by who answers and who asks."""
    lines = ["| set | who answers, who asks | success@1 | success@5 | turns | title leaked |", "|---" * 6 + "|"]
    for path in sorted(results.glob("simulate-*.json")):
        data = _read(path)
        for who, row in data["found"].items():
            figures = " | ".join(f"{row[key][0]:.2f} {_bounds(row[key][1:])}" for key in ("success@1", "success@5", "mean_turns"))
            lines.append(f"| {path.stem.removeprefix('simulate-')} | {who} | {figures} | {row['leak']['whole_title']:.3f} |")
    return "\n".join(lines)


def _share(figure: Mapping[str, Any], *, interval: bool) -> str:
    if figure["value"] is None:
        return ""
    return f"{figure['value']:.3f} {_bounds(figure['95%'])}" if interval else f"{figure['value']:.3f}"


def _bounds(bounds: Any) -> str:
    return f"[{bounds[0]:.3f}, {bounds[1]:.3f}]" if bounds else ""


def _read(path: Path) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return data
