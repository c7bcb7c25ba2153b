"""What the agent calls: the graph as a LangChain tool."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Literal

import numpy as np
from langchain_core.tools import InjectedToolArg, StructuredTool
from numpy.typing import NDArray
from pydantic import ConfigDict, Field, InstanceOf, create_model

from scenewise.store.errors import InputError, RetryTool
from scenewise.tools.candidates import Candidates
from scenewise.tools.context import TurnContext
from scenewise.tools.graph.graph import KnowledgeGraph
from scenewise.tools.graph.patterns import Pattern, matched
from scenewise.tools.graph.questions import Question, answer
from scenewise.tools.graph.reading import read_question, tells_more

NAME = "query_graph"
DESCRIPTION = (
    "Find items connected with a named thing: a person, genre, mood, topic or another attribute (about + value), or another item "
    "(title), narrowed by a relation if wanted. With no argument: items near what the user likes and the scene."
)


def make_tool(graph: KnowledgeGraph) -> StructuredTool:
    """Make `query_graph` over one graph; its enums are the kinds and relations that this graph has.

    The tool returns (text for the LLM, Candidates of source "graph"); it raises RetryTool for about without value.
    """

    def query_graph(
        *,
        context: Annotated[TurnContext, InjectedToolArg],
        about: str | None = None,
        value: str | None = None,
        title: str | None = None,
        relation: str | None = None,
        domain: str | None = None,
        k: int = 20,
    ) -> tuple[str, Candidates]:
        if domain is not None:
            context = replace(context, allowed=context.allowed & graph.catalogue.columns.in_domains({domain}))
        if about is not None and value is None:
            raise RetryTool("about names a kind of thing: give its value too, or leave about out.")
        return ask(graph, Question(about, value, title, relation), context, k=k)

    return StructuredTool.from_function(
        func=query_graph,
        name=NAME,
        description=DESCRIPTION,
        args_schema=_schema(graph),
        infer_schema=False,
        response_format="content_and_artifact",
    )


def ask(graph: KnowledgeGraph, question: Question, context: TurnContext, *, k: int) -> tuple[str, Candidates]:
    """Answer the question in the order of the user's own seeds; where nothing fits, walk from the seeds alone and say so."""
    seeds = graph.seeds_from(context.history, context.profile, context.scene.scene)
    seen = frozenset(event.item_id for event in context.history)
    locale = "zh" if context.moment.locale.casefold().startswith("zh") else "en"
    pattern = next((read for words in (question.value or "", context.message) if (read := pattern_in(graph, words))), None)
    pattern = pattern if question.relation is None else None
    if pattern is not None and pattern.start is not None:
        start = seeds | {pattern.start: 0.1 * sum(seeds.values()) or 1.0}
        rows = graph.candidates(start, k, allowed=context.allowed & matched(graph, pattern), exclude=seen, locale=locale)
        if len(rows):
            return f"{len(rows)} items connected with {graph.display(pattern.start)} as asked.", rows
    found = answer(graph, question)
    if found.nodes:
        # What is asked for decides which items; who asks decides their order, so the named thing itself starts few walks.
        start = seeds | dict.fromkeys(found.nodes, 0.1 * sum(seeds.values()) or 1.0)
        mask = context.allowed & found.connected
        rows = graph.candidates(start, k, allowed=mask, exclude=seen, locale=locale)
        if len(rows):
            return f"{len(rows)} items connected with {graph.display(found.nodes[0])}.", rows
    rows = graph.candidates(seeds, k, allowed=context.allowed, exclude=seen, locale=locale)
    asked = question.value is not None or question.title is not None
    lead = "Nothing allowed is connected with that; instead " if asked else ""
    text = f"{lead}{len(rows)} items near what the user likes." if len(rows) else f"{lead}nothing is near what the user likes."
    return text[0].upper() + text[1:], rows


def pattern_in(graph: KnowledgeGraph, words: str) -> Pattern | None:
    """Read words as a constrained pattern ("films by the director of Heat"); None where they are not one."""
    if " " not in words:
        return None
    try:
        pattern = read_question(graph, words)
    except InputError:
        return None
    return pattern if tells_more(pattern) else None


def as_asked(graph: KnowledgeGraph, words: str, allowed: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], str | None] | None:
    """Which allowed items a question in words asks for, bool (n_items,), without its scene where that leaves none, and the node from
    which it starts; None where the words are no pattern."""
    pattern = pattern_in(graph, words)
    if pattern is None:
        return None
    found = allowed & matched(graph, pattern)
    if not found.any() and pattern.scene is not None:
        found = allowed & matched(graph, replace(pattern, scene=None))
    return found, pattern.start


def _schema(graph: KnowledgeGraph) -> Any:
    fields: dict[str, Any] = {
        "value": (str | None, Field(default=None, max_length=80, description="Name of the thing, such as a person or a genre.")),
        "title": (str | None, Field(default=None, max_length=80, description="Title of an item to start from.")),
        "k": (int, Field(default=20, ge=1, le=50, description="How many items at most.")),
        "context": (Annotated[InstanceOf[TurnContext], InjectedToolArg], ...),
    }
    if domains := graph.catalogue.domains:
        fields["domain"] = (Literal[domains] | None, Field(default=None, description="Only this kind of items."))
    if graph.kinds:
        fields["about"] = (Literal[graph.kinds] | None, Field(default=None, description="What kind of thing value names."))
    if graph.relations:
        fields["relation"] = (Literal[graph.relations] | None, Field(default=None, description="Only this kind of connection."))
    return create_model("QueryGraph", __config__=ConfigDict(extra="forbid"), **fields)
