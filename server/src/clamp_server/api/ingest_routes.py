"""The four endpoints that take events, as plain ASGI: the hot path."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias, cast

import msgspec
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from clamp_server.api.answers import failed_response, json_response, refused_response
from clamp_server.api.client_address import Network, client_address
from clamp_server.api.cors import RawHeaders, cors_headers, preflight_headers
from clamp_server.api.credential import Credentials
from clamp_server.api.request_body import (
    BodyReader,
    Headers,
    check_length,
    check_not_packed,
    packed_limit,
    unpacked,
)
from clamp_server.clock import Clock
from clamp_server.errors import (
    InvalidRequestError,
    RefusedError,
    UnsupportedTypeError,
)
from clamp_server.ingest.admit import RateLimiter, check_origin, check_owner
from clamp_server.ingest.counts import Counts, Outcome
from clamp_server.ingest.decode import (
    SentBody,
    decode_batch,
    decode_idempotency_key,
    decode_one,
)
from clamp_server.ingest.drop_reason import DropReason, invalid, shown
from clamp_server.ingest.pipeline import Pipeline
from clamp_server.model.event import Sender, Sending
from clamp_server.model.project import Project

# User agents have a few hundred; a longer one would only fill a cache.
MAX_USER_AGENT_CHARACTERS = 1024

_OK = b'{"ok":true}'
_OK_HEADERS = (
    (b"content-type", b"application/json"),
    (b"content-length", str(len(_OK)).encode()),
)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What one endpoint takes.

    Attributes:
        max_events: Of one batch; None for an endpoint of single events.
        max_body_bytes: Of a body, unpacked.
    """

    path: str
    sent_by: Sender
    max_events: int | None
    max_body_bytes: int


ENDPOINTS = (
    Endpoint("/e/s", "server", None, 64 * 1024),
    Endpoint("/e", "browser", None, 64 * 1024),
    Endpoint("/e/s/batch", "server", 1_000, 1024 * 1024),
    Endpoint("/e/batch", "browser", 100, 64 * 1024),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingest:
    """What the four endpoints work with."""

    credentials: Credentials
    bodies: BodyReader
    limiter: RateLimiter
    pipeline: Pipeline
    counts: Counts
    clock: Clock
    trusted_proxies: Sequence[Network] = ()


class _Admitted(msgspec.Struct, frozen=True):
    project: Project
    body: SentBody
    sending: Sending
    event_id: str | None


_Door: TypeAlias = Callable[
    [Endpoint, Ingest, Scope, Headers, Receive], Awaitable[_Admitted]
]


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


class EventsFirst:
    """Middleware that hands a POST of events to its endpoint at once.

    Starlette's router and its handling of exceptions, of which these endpoints
    need neither, take 15 us of the 44 us that a request costs inside of uvicorn
    (in process, no socket, no commit). Other methods go that way.
    """

    def __init__(self, app: ASGIApp, routes: Sequence[Route]) -> None:
        self._app = app
        self._endpoints = {route.path: route.app for route in routes}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        app = self._app
        if scope["type"] == "http" and scope["method"] == "POST":
            app = self._endpoints.get(scope["path"], app)
        await app(scope, receive, send)


class _Taker:
    """One endpoint, as an ASGI application: without a `Request` for every event."""

    def __init__(self, endpoint: Endpoint, ingest: Ingest) -> None:
        self._endpoint = endpoint
        self._ingest = ingest
        self._door = _DOORS[endpoint.sent_by]

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
            admitted = await self._door(endpoint, ingest, scope, headers, receive)
            sent = len(admitted.body.events)
            ingest.limiter.take(admitted.project, sent)
            outcome = await ingest.pipeline.take(
                admitted.body, admitted.sending, admitted.event_id
            )
        except RefusedError as refused:
            reason = cast(DropReason, refused.code)
            ingest.counts.refuse(endpoint.path, sent, reason)
            return refused_response(refused)
        # The request border: whatever went wrong, the client gets an answer and
        # the event is counted.
        except Exception as error:
            if isinstance(error, ClientDisconnect):
                raise
            ingest.counts.refuse(endpoint.path, sent, "internal_error")
            return failed_response(error)
        ingest.counts.settle(endpoint.path, sent, outcome)
        return _answer(outcome, is_batch=endpoint.max_events is not None)


async def _server_door(
    endpoint: Endpoint, ingest: Ingest, scope: Scope, headers: Headers, receive: Receive
) -> _Admitted:
    packed_bytes = packed_limit(headers, endpoint.max_body_bytes)
    check_length(headers, packed_bytes)
    api_key = headers.get(b"x-clamp-key", b"").decode("latin-1")
    project = await ingest.credentials.project_of_key(api_key)
    _check_json(headers)
    packed = await ingest.bodies.read(receive, packed_bytes)
    body = _opened(endpoint, unpacked(packed, headers, endpoint.max_body_bytes))
    check_owner(project, body.project_id)
    sending = Sending(
        project_id=project.id, sent_by="server", received_at=_whole_ms(ingest.clock())
    )
    return _Admitted(project, body, sending, _event_id(endpoint, headers))


async def _browser_door(
    endpoint: Endpoint, ingest: Ingest, scope: Scope, headers: Headers, receive: Receive
) -> _Admitted:
    check_length(headers, endpoint.max_body_bytes)
    check_not_packed(headers)
    content = await ingest.bodies.read(receive, endpoint.max_body_bytes)
    body = _opened(endpoint, content)
    project = await ingest.credentials.project(body.project_id)
    if project is None:
        raise invalid(
            "unknown_project",
            "p",
            shown(body.project_id),
            "the id of a project of this server is allowed",
        )
    origin = headers.get(b"origin")
    check_origin(project, None if origin is None else origin.decode("latin-1"))
    user_agent = headers.get(b"user-agent", b"").decode("latin-1")
    sending = Sending(
        project_id=project.id,
        sent_by="browser",
        received_at=_whole_ms(ingest.clock()),
        user_agent=user_agent[:MAX_USER_AGENT_CHARACTERS],
        address=_address(scope, ingest.trusted_proxies),
    )
    return _Admitted(project, body, sending, _event_id(endpoint, {}))


_DOORS: Mapping[Sender, _Door] = {"browser": _browser_door, "server": _server_door}


def _check_json(headers: Headers) -> None:
    content_type = headers.get(b"content-type", b"")
    if content_type.partition(b";")[0].strip().lower() != b"application/json":
        got = shown(content_type.decode("latin-1"))
        raise UnsupportedTypeError(
            f"content-type: got {got}; application/json is allowed"
        )


def _opened(endpoint: Endpoint, body: bytes) -> SentBody:
    if endpoint.max_events is None:
        return decode_one(body)
    return decode_batch(body, endpoint.max_events)


def _event_id(endpoint: Endpoint, headers: Headers) -> str | None:
    # The events of a batch bring their own; a single one has it in the header.
    if endpoint.max_events is not None:
        return None
    key = headers.get(b"idempotency-key")
    return "" if key is None else decode_idempotency_key(key.decode("latin-1"))


def _whole_ms(at: datetime) -> datetime:
    return at - timedelta(microseconds=at.microsecond % 1000)


def _address(scope: Scope, trusted: Sequence[Network]) -> str:
    # A Unix socket has no address at its other end.
    peer = scope["client"][0] if scope.get("client") else ""
    forwarded_for = [
        value.decode("latin-1")
        for name, value in scope["headers"]
        if name == b"x-forwarded-for"
    ]
    return client_address(peer, forwarded_for, trusted)


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
