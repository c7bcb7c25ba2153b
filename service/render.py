"""How a turn looks on a terminal."""

from __future__ import annotations

from typing import Any

from rich.console import Console, Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from scenewise.agent.record import PlannedCall, Turn, TurnItem
from scenewise.agent.words import SOURCES
from scenewise.service import console as c

SIGNS = {"run": "[green]ran[/]", "refused": "[yellow]refused[/]", "failed": "[red]failed[/]", "planned": "planned"}


def show_turn(turn: Turn, console: Console, *, details: bool = True) -> None:
    """Print a turn: the scene with its signals, the plan, the reply with its list, and where the time went."""
    if details:
        console.print(Padding(Group(scene_line(turn), *plan_lines(turn)), (0, 0, 0, 2)))
    console.print()
    said = turn.reply.split("\n")[:1] if turn.items else turn.reply.split("\n")
    console.print(Text("\n".join(map(c.plain, said)), style="bold"))
    if turn.items:
        console.print(item_table(turn.items))
    if details:
        console.print(Padding(time_line(turn), (0, 0, 1, 2)))


def scene_line(turn: Turn) -> str:
    """The scene and the signals that decided it, strongest first."""
    signals = sorted(turn.signals, key=lambda signal: -abs(signal[2]))
    said = ", ".join(f"{name} {share:+.0%} ({c.safe(value)})" for name, value, share in signals if abs(share) >= 0.005)
    scene = (
        f"[bold]{c.safe(turn.scene)}[/] {turn.scene_probability:.0%}"
        if turn.scene
        else f"no particular scene ({turn.scene_probability:.0%})"
    )
    return f"scene   {scene}" + (f"   signals: {said}" if said else "")


def plan_lines(turn: Turn) -> list[str]:
    """A line a tool call."""
    if not turn.plan:
        return [f"plan    no tools needed ({turn.intent}, from the last turn's record)"]
    return [("plan    " if i == 0 else "        ") + _call_line(call) for i, call in enumerate(turn.plan)]


def _call_line(call: PlannedCall) -> str:
    arguments = ", ".join(f"{name}={value!r}" for name, value in call.arguments.items() if value not in (None, "", [], ()))
    outcome = f"{call.candidates} candidates, {call.ms:.0f} ms" if call.status == "run" and call.candidates else ""
    note = c.safe(call.note) if call.note else ""
    rest = "; ".join(part for part in (outcome, note) if part)
    return f"[dim]{call.asked_by:<6}[/] {c.safe(call.name)}({c.safe(arguments)}) {SIGNS[call.status]}" + (
        f" [dim]{rest}[/]" if rest else ""
    )


def item_table(items: tuple[TurnItem, ...]) -> Table:
    """The list: place, score, title, reason and copy."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=True, header_style="dim")
    for name in ("#", "score", "item", "why", "copy"):
        table.add_column(name, justify="right" if name in "#score" else "left", overflow="fold")
    for place, item in enumerate(items, 1):
        title = Text.assemble((c.plain(item.title), "bold"), " ", (c.plain(item.domain), "dim"))
        copy = Text.assemble(c.plain(item.copy), " ", (f"({item.copy_source})", "dim"))
        table.add_row(str(place), f"{item.score:.2f}", title, Text(c.plain(item.reason)), copy)
    return table


def explanation(item: TurnItem) -> dict[str, Any]:
    """How an item's score came about, as data: the total log-odds and its parts, those that moved it most first."""
    parts = sorted(item.contributions.items(), key=lambda part: (part[0] == "bias", -abs(part[1])))
    told = [{"name": name, "words": SOURCES.get(name, name.replace("_", " ")), "value": value} for name, value in parts]
    return {"log_odds": sum(item.contributions.values()), "score": item.score, "parts": told}


def show_explanations(items: tuple[TurnItem, ...], console: Console) -> None:
    """Print a table an item: each part of its score, and for a source the item's rank and raw score in its list."""
    if not items:
        return
    console.print(Text("Each part adds to an item's log-odds; score = 1 / (1 + exp(-total)).", style="dim"))
    for place, item in enumerate(items, 1):
        told = explanation(item)
        console.print(Text.assemble(f"\n{place}. ", (c.plain(item.title), "bold"), " ", (c.plain(item.domain), "dim")))
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
        table.add_column("what", overflow="fold")
        table.add_column("name", overflow="fold", style="dim")
        for name in ("adds", "rank", "raw score"):
            table.add_column(name, justify="right", no_wrap=True)
        sources = {one.source: (str(one.rank), f"{one.score:.3g}") for one in item.sources}
        silent = [{"name": name, "words": SOURCES.get(name, name), "value": 0.0} for name in sources if name not in item.contributions]
        for part in sorted(told["parts"] + silent, key=lambda part: part["name"] == "bias"):
            if part["name"] in sources or abs(part["value"]) >= 0.005:  # what rounds to nothing is in --json
                cells = (c.plain(part["words"]), c.plain(part["name"]), f"{part['value']:+.2f}", *sources.get(part["name"], ("", "")))
                table.add_row(*map(Text, cells))
        table.add_row(Text(f"score {item.score:.3f}", style="bold"), "total", Text(f"{told['log_odds']:+.2f}", style="bold"))
        console.print(Padding(table, (0, 0, 0, 3)))
        if any(one.propensity < 1.0 for one in items):
            console.print(f"   drawn for this place with probability {item.propensity:.3g} (exploration)")


def time_line(turn: Turn) -> str:
    """Where the time went, and what the LLM did."""
    steps = "  ".join(f"{name} {ms:.0f} ms" for name, ms in turn.timings_ms.items() if name != "total")
    model = f"{turn.model}, {turn.llm_rounds} LLM rounds, {turn.completion_tokens} tokens" if turn.model else "no LLM"
    line = f"[dim]time    {turn.timings_ms.get('total', 0) / 1000:.2f} s: {steps}   {c.safe(model)}[/]"
    if turn.degraded:
        line += f"\n[yellow]degraded: {c.safe('; '.join(turn.degraded))}[/]"
    return line + "".join(f"\n[dim]note    {c.safe(note)}[/]" for note in turn.notes)
