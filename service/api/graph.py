"""The knowledge graph over HTTP, to read: what lies around a thing, and the ways from one to another."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query

from scenewise.agent.agent import Agent
from scenewise.service.api.access import Asking, acting_user
from scenewise.service.api.items import ItemKey
from scenewise.service.api.moments import Id, Word, language
from scenewise.service.api.schemas import PathsOut, PictureOut
from scenewise.store.errors import InputError, NotFound
from scenewise.store.persons import history_of, profile_of
from scenewise.store.types import Event, ItemId, UserId
from scenewise.tools.graph import KnowledgeGraph
from scenewise.tools.graph.picture import MOST_NODES, surroundings
from scenewise.tools.graph.reasons import reasons_for

Depth = Annotated[int, Query(ge=1, le=4, description="How many facts away the farthest node is.")]
Limit = Annotated[int, Query(ge=2, le=MOST_NODES, description="The most nodes; the nearer and more telling come first.")]
NodeKey = Annotated[str, Path(min_length=1, max_length=512, description='A node\'s id, such as "genre:noir".')]


def graph_routes(agent: Agent) -> APIRouter:
    """Surroundings and ways."""
    router = APIRouter(prefix="/v1/graph", tags=["graph"])

    def around(node: str, depth: int, limit: int) -> PictureOut:
        graph = agent.toolbox().graph
        known(graph, node)
        return PictureOut.model_validate(surroundings(graph, node, hops=depth, limit=limit))

    @router.get("/items/{item_id:path}")
    def around_item(item_id: ItemKey, caller: Asking, depth: Depth = 1, limit: Limit = 40) -> PictureOut:
        """Show what lies around an item, to draw: nodes, the item first, and all facts among them."""
        return around(f"item:{item_id}", depth, limit)

    @router.get("/nodes/{node:path}")
    def around_node(node: NodeKey, caller: Asking, depth: Depth = 1, limit: Limit = 40) -> PictureOut:
        """Show what lies around any node, by its id."""
        return around(node, depth, limit)

    @router.get("/paths/{item_id:path}")
    def paths(
        item_id: ItemKey,
        caller: Asking,
        from_: Annotated[list[Id], Query(alias="from", max_length=20, description="Liked items, the best liked first.")] = [],  # noqa: B006
        user_id: Annotated[Id | None, Query(description="Whose history and profile count.")] = None,
        scene: Annotated[Word | None, Query(description="A scene that the item should suit.")] = None,
        locale: Annotated[Word, Query(description="Language of the sentences: en or zh.")] = "en",
    ) -> PathsOut:
        """Explain an item: the ways to it from items, from a user, and from a scene, the strongest first."""
        graph, user = agent.toolbox().graph, acting_user(agent, caller, user_id)
        if not from_ and user is None and scene is None:
            raise InputError("a way begins somewhere: give from, user_id or scene")
        if scene is not None and graph.resolve("scene", scene) is None:
            raise NotFound("the graph has no such scene")
        for one in (item_id, *from_):
            known(graph, f"item:{one}")
        whose = UserId(user if user is not None else "nobody")
        history = [*history_of(agent.store, whose)] if user is not None else []
        history += [Event(whose, ItemId(one), "like", None, 1e12) for one in reversed(from_)]
        profile = profile_of(agent.store, whose)
        ways = reasons_for(graph, ItemId(item_id), history=history, profile=profile, scene=scene, locale=language(locale))
        return PathsOut.model_validate({"paths": ways})

    return router


def known(graph: KnowledgeGraph, node: str) -> None:
    """Raise NotFound for a node that the graph does not have."""
    if node not in graph:
        raise NotFound("the graph has no such item or node")
