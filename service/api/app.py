"""The app: routes, middleware and errors around one agent."""

from __future__ import annotations

import importlib.metadata

from fastapi import FastAPI
from starlette.middleware import Middleware

from scenewise.agent.agent import Agent
from scenewise.service.api.access import Guard
from scenewise.service.api.chat import chat_routes
from scenewise.service.api.copy import copy_routes
from scenewise.service.api.errors import add_handlers
from scenewise.service.api.graph import graph_routes
from scenewise.service.api.items import item_routes
from scenewise.service.api.keys import KeyFile
from scenewise.service.api.limits import BodyLimit, Gate, Limits, Rate
from scenewise.service.api.metrics import Metrics, Watch
from scenewise.service.api.page import SafeHeaders, page_routes
from scenewise.service.api.repeats import Repeats
from scenewise.service.api.routes import recommend_routes, state_routes
from scenewise.service.api.schemas import ErrorOut
from scenewise.service.api.users import user_routes

DESCRIPTION = "Recommendations across scenes: as a chat after OpenAI's API, and as lists for programs. Every error has one shape."
STATUSES = (400, 401, 403, 404, 405, 408, 409, 413, 422, 429, 500, 503)


def create_app(agent: Agent, *, keys: KeyFile | None = None, limits: Limits | None = None) -> FastAPI:
    """Serve an agent, which stays the caller's to close.

    `keys` None lets everybody who reaches the server do everything, under its loopback names only.
    """
    limits = limits or Limits()
    gate = Gate(limits, keys)
    metrics = Metrics(gate)
    middleware = [
        Middleware(SafeHeaders),
        Middleware(Watch, metrics=metrics),
        Middleware(BodyLimit, limits=limits),
        Middleware(Guard, keys=keys, rate=Rate(limits.per_minute)),
        Middleware(Repeats),
    ]
    app = FastAPI(
        title="Scenewise",
        description=DESCRIPTION,
        version=importlib.metadata.version("scenewise"),
        middleware=middleware,
        docs_url=None,  # its page would load scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,
        separate_input_output_schemas=False,
        responses={status: {"model": ErrorOut} for status in STATUSES},
    )
    add_handlers(app)
    app.include_router(page_routes(agent, keys=keys is not None))
    app.include_router(state_routes(agent, metrics))
    app.include_router(chat_routes(agent, gate, metrics, limits))
    app.include_router(recommend_routes(agent, gate, metrics))
    app.include_router(copy_routes(agent, gate, metrics))
    app.include_router(item_routes(agent))
    app.include_router(graph_routes(agent))
    app.include_router(user_routes(agent))
    return app
