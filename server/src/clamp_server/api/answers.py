"""Answers in JSON, and the one shape of every error."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from clamp_server.errors import RefusedError
from clamp_server.log import Seldom

# Where waiting helps and nothing says how long: 429 and 503 always tell.
DEFAULT_RETRY_AFTER_S = 5

_seldom = Seldom(logging.getLogger(__name__))


def json_response(
    value: object, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Return an answer whose body is `value` as JSON."""
    return Response(
        msgspec.json.encode(value),
        status_code=status,
        headers=headers,
        media_type="application/json",
    )


def refused_response(refused: RefusedError) -> Response:
    """Return the answer to a request that is refused."""
    headers: dict[str, str] = {}
    if refused.status in (429, 503):
        wait_s = refused.retry_after_s or DEFAULT_RETRY_AFTER_S
        headers["retry-after"] = str(wait_s)
    if refused.status == 413:
        # What is left of the body is not read, so nothing can follow it.
        headers["connection"] = "close"
    return _error_response(refused.status, refused.code, refused.message, headers)


def failed_response(error: Exception) -> Response:
    """Log what nobody expected, and return an answer that gives nothing away."""
    _seldom.error(f"a request failed: {type(error).__name__}", cause=error)
    return _error_response(
        500, "internal_error", "the server failed; its log says why", {}
    )


def _error_response(
    status: int, code: str, message: str, headers: Mapping[str, str]
) -> Response:
    return json_response({"error": code, "message": message}, status, headers)


async def _on_refused(_: Request, refused: Exception) -> Response:
    assert isinstance(refused, RefusedError)  # noqa: S101 - Starlette's own promise
    return refused_response(refused)


async def _on_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - Starlette's own promise
    status = HTTPStatus(error.status_code)
    code = status.phrase.lower().replace(" ", "_")
    message = f"{request.method} {request.url.path}: {status.phrase.lower()}"
    return _error_response(status, code, message, dict(error.headers or {}))


async def _on_failure(_: Request, error: Exception) -> Response:
    return failed_response(error)


# `Any`: Starlette's own type of this mapping.
ERROR_HANDLERS: Mapping[Any, Any] = {
    RefusedError: _on_refused,
    HTTPException: _on_http_exception,
    Exception: _on_failure,
}
"""What Starlette needs to give every error of every route the one shape."""
