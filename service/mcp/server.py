"""The MCP server over one agent: tools and resources."""

from __future__ import annotations

import importlib.metadata
import json

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ResourceNotFoundError
from mcp.server.mcpserver.resources import ResourceSecurity

from scenewise.service.api.routes import scenes_out
from scenewise.service.mcp.session import Door
from scenewise.service.mcp.tools import add_profile, add_talk, add_tools
from scenewise.store.errors import NotFound
from scenewise.store.item_json import item_json
from scenewise.store.types import ItemId

JSON = "application/json"
INSTRUCTIONS = (
    "Recommends across scenes. `recommend` and `converse` give ranked lists with reasons and evidence; say of the items only what their "
    "evidence says. The other tools look into the catalogue, the graph and the user's profile."
)


def create_server(door: Door) -> MCPServer:
    """Make the server; the agent stays the caller's to close."""
    server: MCPServer = MCPServer(
        "scenewise",
        title="Scenewise",
        instructions=INSTRUCTIONS,
        version=importlib.metadata.version("scenewise"),
        log_level="WARNING",
        subscriptions=False,
    )
    add_talk(server, door)
    add_tools(server, door)
    add_profile(server, door)
    add_resources(server, door)
    return server


def add_resources(server: MCPServer, door: Door) -> None:
    """Add the scenes and, by id, the items."""

    @server.resource("scenewise://scenes", mime_type=JSON)
    def scenes() -> str:
        """The scenes that are told apart, with the weights of their domains."""
        return scenes_out(door.agent).model_dump_json()

    @server.resource("scenewise://items/{item_id}", mime_type=JSON, security=ResourceSecurity(exempt_params={"item_id"}))
    def item(item_id: str) -> str:
        """An item of the catalogue; the id percent-encoded. An id is a key, never a path."""
        try:
            return json.dumps(item_json(door.agent.store.items.get(ItemId(item_id))), ensure_ascii=False)
        except NotFound as error:
            raise ResourceNotFoundError(str(error)) from error
