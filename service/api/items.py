"""The catalogue over HTTP: show, put and delete items; turns that begin afterwards know."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query
from starlette.responses import JSONResponse

from scenewise.agent.agent import Agent
from scenewise.service.api.access import Asking
from scenewise.service.api.schemas import Done, ItemIdsIn, ItemsIn
from scenewise.store.errors import NotFound
from scenewise.store.item_json import WrittenItem, item_json
from scenewise.store.types import ItemId

ItemKey = Annotated[str, Path(min_length=1, max_length=512)]


def item_routes(agent: Agent) -> APIRouter:
    """Show, put and delete items."""
    router = APIRouter(prefix="/v1/items", tags=["items"])

    @router.post("")
    def put(body: ItemsIn, caller: Asking) -> Done:
        """Add items and replace those whose id is there; all or none are kept. `changed` counts those that are new or different."""
        last = {one.item_id: one.item() for one in body.items}
        return Done(changed=agent.put_items(last.values()))

    @router.post("/delete")
    def delete_many(body: ItemIdsIn, caller: Asking) -> Done:
        """Delete items with their events; `changed` counts those that were there."""
        return Done(changed=agent.delete_items(body.item_ids, forget=body.forget))

    @router.get("/{item_id:path}", response_model=WrittenItem)
    def show(item_id: ItemKey, caller: Asking) -> JSONResponse:
        """Show an item."""
        return JSONResponse(item_json(agent.store.items.get(ItemId(item_id))))

    @router.delete("/{item_id:path}")
    def delete(item_id: ItemKey, caller: Asking, forget: Annotated[bool, Query()] = False) -> Done:
        """Delete an item with its events."""
        if not (deleted := agent.delete_items([item_id], forget=forget)):
            raise NotFound("no item of the store has this id")
        return Done(changed=deleted)

    return router
