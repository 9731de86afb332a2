"""The way in to an event endpoint: who sends, what is sent, and may they."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

import msgspec
from starlette.types import Receive, Scope

from clamp_server.api.client_address import Network, client_address
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
from clamp_server.errors import UnsupportedTypeError
from clamp_server.ingest.admit import check_origin, check_owner
from clamp_server.ingest.decode import SentBody, decode_batch, decode_one
from clamp_server.ingest.decode_field import decode_idempotency_key
from clamp_server.ingest.drop_reason import invalid, shown
from clamp_server.model.event import Sender, Sending
from clamp_server.model.project import Project

# User agents have a few hundred; a longer one would only fill a cache.
MAX_USER_AGENT_CHARACTERS = 1024


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Doorkeeper:
    """What both doors ask."""

    credentials: Credentials
    bodies: BodyReader
    clock: Clock
    trusted_proxies: Sequence[Network] = ()


class Admitted(msgspec.Struct, frozen=True):
    """A request whose sender may send, before its events are looked at.

    Attributes:
        event_id: Idempotency id of a single event; None where events bring theirs.
    """

    project: Project
    body: SentBody
    sending: Sending
    event_id: str | None


Door: TypeAlias = Callable[
    [Endpoint, Doorkeeper, Scope, Headers, Receive], Awaitable[Admitted]
]
"""Reads a request until its sender is known; raises a `RefusedError`."""


async def _server_door(
    endpoint: Endpoint,
    keeper: Doorkeeper,
    scope: Scope,
    headers: Headers,
    receive: Receive,
) -> Admitted:
    packed_bytes = packed_limit(headers, endpoint.max_body_bytes)
    check_length(headers, packed_bytes)
    api_key = headers.get(b"x-clamp-key", b"").decode("latin-1")
    project = await keeper.credentials.project_of_key(api_key)
    _check_json(headers)
    packed = await keeper.bodies.read(receive, packed_bytes)
    body = _opened(endpoint, unpacked(packed, headers, endpoint.max_body_bytes))
    check_owner(project, body.project_id)
    sending = Sending(
        project_id=project.id, sent_by="server", received_at=_whole_ms(keeper.clock())
    )
    return Admitted(project, body, sending, _event_id(endpoint, headers))


async def _browser_door(
    endpoint: Endpoint,
    keeper: Doorkeeper,
    scope: Scope,
    headers: Headers,
    receive: Receive,
) -> Admitted:
    check_length(headers, endpoint.max_body_bytes)
    check_not_packed(headers)
    content = await keeper.bodies.read(receive, endpoint.max_body_bytes)
    body = _opened(endpoint, content)
    project = await keeper.credentials.project(body.project_id)
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
        received_at=_whole_ms(keeper.clock()),
        user_agent=user_agent[:MAX_USER_AGENT_CHARACTERS],
        address=_address(scope, keeper.trusted_proxies),
    )
    return Admitted(project, body, sending, _event_id(endpoint, {}))


DOORS: Mapping[Sender, Door] = {"browser": _browser_door, "server": _server_door}


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
