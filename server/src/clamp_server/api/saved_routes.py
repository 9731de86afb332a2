"""Funnels, cohorts and alerts over HTTP: every entry of their registry."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeAlias

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from clamp_server.api.answers import json_response
from clamp_server.api.credential import Credentials
from clamp_server.api.question_routes import own_project
from clamp_server.api.question_threads import question_threads
from clamp_server.api.request_body import BodyReader, check_length, check_not_packed
from clamp_server.clock import Clock
from clamp_server.questions.parameter import read_query
from clamp_server.questions.saved import Desk, decode_body
from clamp_server.questions.saved_registry import SAVED, AnyEntry
from clamp_server.store.catalog import Catalog
from clamp_server.store.sql import EventStore

# Ten steps of 500 characters, each up to 12 bytes as a JSON escape.
MAX_BODY_BYTES = 64 * 1024
# Beside the threads of other questions; a list of funnels is many of them.
MOST_AT_ONCE = 2
_HEADERS = {"cache-control": "no-store"}

_Endpoint: TypeAlias = Callable[[Request], Awaitable[Response]]


def routes(
    store: EventStore, catalog: Catalog, credentials: Credentials, clock: Clock
) -> list[BaseRoute]:
    """Return the routes of what is saved.

    Errors are raised; the app gives them their shape.
    """
    threads = question_threads(MOST_AT_ONCE, "saved")
    bodies = BodyReader()

    def working(entry: AnyEntry) -> _Endpoint:
        async def endpoint(request: Request) -> Response:
            project = await own_project(request, credentials)
            query = _query(request, entry)
            body = decode_body(entry, await _body(request, bodies))
            desk = Desk(store, catalog, project, clock())
            loop = asyncio.get_running_loop()
            encoded = await loop.run_in_executor(
                threads, lambda: msgspec.json.encode(entry.run(desk, query, body))
            )
            return json_response(msgspec.Raw(encoded), headers=_HEADERS)

        return endpoint

    return [
        Route(
            f"/analytics/{{project_id}}{entry.path}",
            working(entry),
            methods=[entry.method],
        )
        for entry in SAVED.values()
    ]


def _query(request: Request, entry: AnyEntry) -> dict[str, str]:
    of_path = {
        name: value
        for name, value in request.path_params.items()
        if name != "project_id"
    }
    others = [p for p in entry.parameters if p.name not in of_path]
    return read_query(request.query_params.multi_items(), others) | of_path


async def _body(request: Request, bodies: BodyReader) -> bytes:
    if request.method != "POST":
        return b""
    headers = dict(request.headers.raw)
    check_length(headers, MAX_BODY_BYTES)
    check_not_packed(headers)
    return await bodies.read(request.receive, MAX_BODY_BYTES)
