"""What the agent calls: retrieval as a LangChain tool."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Literal

from langchain_core.tools import InjectedToolArg, StructuredTool
from pydantic import ConfigDict, Field, InstanceOf, create_model

from scenewise.tools.candidates import Candidates
from scenewise.tools.context import TurnContext
from scenewise.tools.retrieval.retriever import Retriever

NAME = "retrieve"
DESCRIPTION = (
    "Find items whose description fits a few words on what is wanted, such as a subject, a setting or a feeling. "
    "Give domain only when the user asked for one kind of items."
)


def make_tool(retriever: Retriever) -> StructuredTool:
    """Make `retrieve`; its enum of domains is the catalogue's. The tool returns (text for the LLM, Candidates of source "retrieve")."""

    def retrieve(
        *, query: str, context: Annotated[TurnContext, InjectedToolArg], domain: str | None = None, k: int = 20
    ) -> tuple[str, Candidates]:
        allowed, constraints = context.allowed, context.constraints
        if domain is not None:
            allowed = allowed & retriever.catalogue.columns.in_domains({domain})
            constraints = replace(constraints, domains=frozenset({domain}))
        found = retriever.retrieve(query, k, allowed=allowed, constraints=constraints)
        return (f"{len(found)} items fit." if len(found) else "No allowed item fits."), found

    return StructuredTool.from_function(
        func=retrieve,
        name=NAME,
        description=DESCRIPTION,
        args_schema=_schema(retriever),
        infer_schema=False,
        response_format="content_and_artifact",
    )


def _schema(retriever: Retriever) -> Any:
    fields: dict[str, Any] = {
        "query": (str, Field(min_length=1, max_length=120, description="A few words on what is wanted.")),
        "k": (int, Field(default=20, ge=1, le=50, description="How many items at most.")),
        "context": (Annotated[InstanceOf[TurnContext], InjectedToolArg], ...),
    }
    if domains := retriever.catalogue.domains:
        fields["domain"] = (Literal[domains] | None, Field(default=None, description="Only this kind of items."))
    return create_model("Retrieve", __config__=ConfigDict(extra="forbid"), **fields)
