"""The four endpoints that take events, as plain ASGI: the hot path."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from clamp_server.api.answers import failed_response, json_response, refused_response
from clamp_server.api.cors import RawHeaders, cors_headers, preflight_headers
from clamp_server.api.ingest_door import DOORS, Admitted, Doorkeeper, Endpoint
from clamp_server.api.request_body import Headers
from clamp_server.errors import (
    InvalidRequestError,
    RefusedError,
    StoreUnavailableError,
)
from clamp_server.ingest.admit import RateLimiter
from clamp_server.ingest.counts import Counts, Outcome
from clamp_server.ingest.drop_reason import DropReason
from clamp_server.ingest.pipeline import Pipeline

_OK = b'{"ok":true}'
_OK_HEADERS = (
    (b"content-type", b"application/json"),
    (b"content-length", str(len(_OK)).encode()),
)

ENDPOINTS = (
    Endpoint("/e/s", "server", None, 64 * 1024),
    Endpoint("/e", "browser", None, 64 * 1024),
    Endpoint("/e/s/batch", "server", 1_000, 1024 * 1024),
    Endpoint("/e/batch", "browser", 100, 64 * 1024),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingest:
    """What the four endpoints work with."""

    keeper: Doorkeeper
    limiter: RateLimiter
    pipeline: Pipeline
    counts: Counts


def routes(ingest: Ingest) -> list[Route]:
    """Return the routes of the four endpoints."""
    return [
        Route(
            endpoint.path,
            _Taker(endpoint, ingest),
            methods=("POST", "OPTIONS") if endpoint.sent_by == "browser" else ("POST",),
            name=endpoint.path,
        )
        for endpoint in ENDPOINTS
    ]


class EventsFirst(Starlette):
    """An application that hands a POST of events to its endpoint at once.

    Starlette's middleware, its router and its handling of exceptions, of which these
    endpoints need none, would take 10 us of 27; a bare Starlette route takes 14 (in
    process, no socket, no commit). Other methods go that way.

    Args:
        takers: The routes of the four endpoints.
        routes: All others.
    """

    def __init__(
        self, takers: Sequence[Route], routes: Sequence[BaseRoute], **settings: Any
    ) -> None:
        super().__init__(routes=[*takers, *routes], **settings)
        self._endpoints = {route.path: route.app for route in takers}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        app: ASGIApp = super().__call__
        if scope["type"] == "http" and scope["method"] == "POST":
            app = self._endpoints.get(scope["path"], app)
        await app(scope, receive, send)


class _Taker:
    """One endpoint, as an ASGI application: without a `Request` for every event."""

    def __init__(self, endpoint: Endpoint, ingest: Ingest) -> None:
        self._endpoint = endpoint
        self._ingest = ingest
        self._door = DOORS[endpoint.sent_by]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers: Headers = dict(scope["headers"])
        cors: RawHeaders = ()
        if self._endpoint.sent_by == "browser":
            if scope["method"] == "OPTIONS":
                await _send(send, 204, preflight_headers(headers), b"")
                return
            cors = cors_headers(headers)
        try:
            response = await self._taken(scope, headers, receive)
        except ClientDisconnect:
            return
        if response is None:
            await _send(send, 200, _OK_HEADERS + cors, _OK)
        else:
            response.raw_headers.extend(cors)
            await response(scope, receive, send)

    async def _taken(
        self, scope: Scope, headers: Headers, receive: Receive
    ) -> Response | None:
        """Take a request's events; None is the answer to a single stored one."""
        endpoint, ingest = self._endpoint, self._ingest
        sent = 1
        try:
            admitted = await self._door(
                endpoint, ingest.keeper, scope, headers, receive
            )
            sent = len(admitted.body.events)
            outcome = await self._stored(admitted)
            response = _answer(outcome, is_batch=endpoint.max_events is not None)
            ingest.counts.settle(endpoint.path, sent, outcome)
        except RefusedError as refused:
            reason = cast(DropReason, refused.code)
            ingest.counts.refuse(endpoint.path, sent, reason)
            return refused_response(refused)
        except ClientDisconnect:
            raise
        # The request border: whatever went wrong, the client gets an answer and
        # the event is counted.
        except Exception as error:
            ingest.counts.refuse(endpoint.path, sent, "internal_error")
            return failed_response(error)
        return response

    async def _stored(self, admitted: Admitted) -> Outcome:
        limiter, body = self._ingest.limiter, admitted.body
        limiter.take(admitted.project, len(body.events))
        try:
            return await self._ingest.pipeline.take(
                body, admitted.sending, admitted.event_id
            )
        except StoreUnavailableError:
            limiter.give_back(admitted.project, len(body.events))
            raise


def _answer(outcome: Outcome, *, is_batch: bool) -> Response | None:
    if not outcome.accepted and not outcome.duplicates:
        first = outcome.rejected[0]
        where = f"events[{first.index}]: " if is_batch else ""
        return refused_response(
            InvalidRequestError(where + first.message, code=first.error)
        )
    if not is_batch:
        return None
    return json_response(
        {
            "ok": True,
            "accepted": outcome.accepted,
            "duplicates": outcome.duplicates,
            "rejected": outcome.rejected,
        }
    )


async def _send(send: Send, status: int, headers: RawHeaders, body: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
