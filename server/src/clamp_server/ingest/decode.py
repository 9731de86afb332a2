"""Bytes from outside to checked events. No I/O, no lookups, no clock.

A body is opened in two steps: `decode_one` or `decode_batch` find whose events
it holds and cut them apart, `decode_event` reads each, so that one bad event in
a batch is refused alone. An event's fields are taken as they come and checked
here by hand: msgspec's own checks are a little faster, but their message cannot
name a property or say what is allowed, and two sets of rules would drift apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from clamp_server.ingest.decode_field import (
    decode_address,
    decode_event_id,
    decode_id,
    decode_language,
    decode_name,
    decode_pixels,
    decode_platform,
    decode_project_id,
)
from clamp_server.ingest.decode_json import decode_json, decoder_of
from clamp_server.ingest.decode_properties import decode_properties
from clamp_server.ingest.decode_timestamp import decode_timestamp
from clamp_server.ingest.drop_reason import invalid
from clamp_server.model.event import Sending, SentEvent
from clamp_server.model.ids import ProjectId


class _Whose(msgspec.Struct, gc=False):
    p: Any = None


class _Batch(msgspec.Struct, gc=False):
    events: list[msgspec.Raw] | None = None
    p: Any = None


class _ServerWire(msgspec.Struct, rename="camel", gc=False):
    name: Any = None
    id: Any = None
    timestamp: Any = None
    anonymous_id: Any = None
    user_id: Any = None
    properties: Any = None


class _BrowserWire(_ServerWire, rename="camel", gc=False):
    session_id: Any = None
    url: Any = None
    referrer: Any = None
    screen_width: Any = None
    screen_height: Any = None
    language: Any = None
    platform: Any = None


_WHOSE = decoder_of(_Whose)
_BATCH = decoder_of(_Batch)
_SERVER_EVENT = decoder_of(_ServerWire)
_BROWSER_EVENT = decoder_of(_BrowserWire)


class SentBody(msgspec.Struct, frozen=True, gc=False):
    """A request's body, cut into events that nobody has looked at yet."""

    project_id: ProjectId
    size_bytes: int
    events: Sequence[bytes | msgspec.Raw]


def decode_one(body: bytes) -> SentBody:
    """Open the body of `POST /e` or `POST /e/s`.

    Raises:
        InvalidRequestError: Not JSON, no object, or no project id in `p`.
    """
    whose, body = decode_json(_WHOSE, body, "body")
    return SentBody(decode_project_id(whose.p), len(body), (body,))


def decode_batch(body: bytes, max_events: int) -> SentBody:
    """Open the body of `POST /e/batch` or `POST /e/s/batch`.

    Raises:
        InvalidRequestError: Not JSON, no object, no project id in `p`, or
            `events` does not list 1 to `max_events`.
    """
    batch, _ = decode_json(_BATCH, body, "body")
    project_id = decode_project_id(batch.p)
    allowed = f"an array of 1 to {max_events} events is allowed"
    if batch.events is None:
        raise invalid("missing_field", "events", "nothing", allowed)
    if not 1 <= len(batch.events) <= max_events:
        raise invalid("over_limit", "events", f"{len(batch.events)} events", allowed)
    return SentBody(project_id, len(body), batch.events)


def decode_event(
    sent: bytes | msgspec.Raw, sending: Sending, event_id: str | None = None
) -> SentEvent:
    """Read one event and check it against every limit.

    Args:
        event_id: Takes the place of the event's own `id`; None leaves it.

    Raises:
        InvalidRequestError: Names the first field that is wrong.
    """
    if sending.sent_by == "browser":
        browser_wire, _ = decode_json(_BROWSER_EVENT, sent, "event")
        return _browser_event(browser_wire, sending.received_at, event_id)
    wire, _ = decode_json(_SERVER_EVENT, sent, "event")
    return _server_event(wire, sending.received_at, event_id)


def _browser_event(
    wire: _BrowserWire, received_at: datetime, event_id: str | None
) -> SentEvent:
    name = decode_name(wire.name)
    properties, error = decode_properties(wire.properties, name == "$error")
    return SentEvent(
        name=name,
        id=decode_event_id(wire.id) if event_id is None else event_id,
        occurred_at=decode_timestamp(wire.timestamp, received_at),
        anonymous_id=decode_id(wire.anonymous_id, "anonymousId"),
        user_id=decode_id(wire.user_id, "userId"),
        session_id=decode_id(wire.session_id, "sessionId"),
        url=decode_address(wire.url),
        referrer=decode_address(wire.referrer),
        screen_width=decode_pixels(wire.screen_width, "screenWidth"),
        screen_height=decode_pixels(wire.screen_height, "screenHeight"),
        language=decode_language(wire.language),
        platform=decode_platform(wire.platform),
        properties=properties,
        error=error,
    )


def _server_event(
    wire: _ServerWire, received_at: datetime, event_id: str | None
) -> SentEvent:
    name = decode_name(wire.name)
    properties, error = decode_properties(wire.properties, name == "$error")
    return SentEvent(
        name=name,
        id=decode_event_id(wire.id) if event_id is None else event_id,
        occurred_at=decode_timestamp(wire.timestamp, received_at),
        anonymous_id=decode_id(wire.anonymous_id, "anonymousId"),
        user_id=decode_id(wire.user_id, "userId"),
        properties=properties,
        error=error,
    )
