"""One shape for every error, that of OpenAI's API, and one table of which error becomes which status."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from scenewise.store.errors import (
    Busy,
    InputError,
    ModelError,
    NotAllowed,
    NotFound,
    RetryTool,
    ScenewiseError,
    Stop,
    StoreError,
    ToolError,
)

log = logging.getLogger("scenewise.api")

KINDS: Mapping[type[ScenewiseError], tuple[int, str, str]] = {
    InputError: (400, "invalid_request_error", "invalid_input"),
    RetryTool: (400, "invalid_request_error", "unknown_value"),
    NotAllowed: (403, "permission_error", "not_allowed"),
    NotFound: (404, "not_found_error", "not_found"),
    Busy: (503, "server_error", "busy"),
    ModelError: (503, "server_error", "model_unavailable"),
    Stop: (503, "server_error", "limit_reached"),
    StoreError: (500, "server_error", "store_error"),
    ToolError: (500, "server_error", "tool_failed"),
    ScenewiseError: (500, "server_error", "internal_error"),
}
"""Status, type and code of each error of the product; of an error's classes the nearest counts."""

_HTTP: Mapping[int, tuple[str, str, str]] = {
    400: ("invalid_request_error", "unreadable", "the body cannot be read: send JSON in UTF-8"),
    401: ("authentication_error", "invalid_api_key", "a key is needed: send it as `Authorization: Bearer KEY`"),
    403: ("permission_error", "not_allowed", "this key may not do that"),
    404: ("not_found_error", "unknown_route", "there is no such route; /openapi.json lists them"),
    405: ("invalid_request_error", "method_not_allowed", "this route does not take this method"),
    408: ("invalid_request_error", "too_slow", "the body took too long to arrive"),
    409: ("invalid_request_error", "conflict", "another request with this Idempotency-Key is running"),
    413: ("invalid_request_error", "too_large", "the body is too large"),
    422: ("invalid_request_error", "invalid_value", "a value cannot be used"),
    429: ("rate_limit_error", "rate_limited", "too many requests with this key"),
}
_HIDDEN = "something went wrong in the server; its log says what"


class Refused(HTTPException):
    """The server itself refuses a request; `retry_after_s` says when to come back."""

    def __init__(self, status: int, message: str = "", *, code: str = "", retry_after_s: float | None = None) -> None:
        headers = None if retry_after_s is None else {"Retry-After": _seconds(retry_after_s)}
        super().__init__(status, message or _HTTP[status][2], headers)
        self.code = code or _HTTP[status][1]


def error_body(message: str, kind: str, code: str, param: str | None = None) -> dict[str, Any]:
    """An error as every answer carries it."""
    return {"error": {"message": message, "type": kind, "code": code, "param": param}}


def body_of(error: Exception) -> dict[str, Any]:
    """The body for any error; what lies behind a 500 is not told."""
    if isinstance(error, ScenewiseError):
        status, kind, code = kind_of(error)
        return error_body(str(error) if status != 500 else _HIDDEN, kind, code)
    if isinstance(error, HTTPException):
        kind, code, message = _HTTP.get(error.status_code, ("server_error", "internal_error", _HIDDEN))
        return error_body(error.detail if isinstance(error, Refused) else message, kind, getattr(error, "code", code))
    return error_body(_HIDDEN, "server_error", "internal_error")


def kind_of(error: ScenewiseError) -> tuple[int, str, str]:
    """Status, type and code of an error of the product."""
    return next(KINDS[one] for one in type(error).__mro__ if one in KINDS)


def response_of(error: Exception) -> JSONResponse:
    """The answer for any error."""
    if isinstance(error, ScenewiseError):
        headers = {"Retry-After": _seconds(error.retry_after_s)} if isinstance(error, Busy) else None
        return JSONResponse(body_of(error), kind_of(error)[0], headers)
    if isinstance(error, HTTPException):
        return JSONResponse(body_of(error), error.status_code, dict(error.headers or {}))
    return JSONResponse(body_of(error), 500)


def add_handlers(app: FastAPI) -> None:
    """Let every error of the app end in the one shape."""

    async def known(request: Request, error: Exception) -> Response:
        if isinstance(error, ScenewiseError) and kind_of(error)[0] == 500:
            log.error("request failed", exc_info=error)
        return response_of(error)

    async def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        first = error.errors()[0]
        if first["type"] == "json_invalid":
            return JSONResponse(error_body("the body is not JSON", "invalid_request_error", "unreadable"), 400)
        param = ".".join(str(part) for part in first["loc"][1:]) or None
        said = first["msg"][:300]
        message = f"{param or 'the body'}: {said[:1].casefold()}{said[1:]}"
        return JSONResponse(error_body(message, "invalid_request_error", "invalid_value", param), 422)

    app.add_exception_handler(ScenewiseError, known)
    app.add_exception_handler(HTTPException, known)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(Exception, known)


def _seconds(seconds: float) -> str:
    return str(max(1, math.ceil(seconds)))
