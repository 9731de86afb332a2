"""Events that wait, as bytes.

An event is the JSON object that a batch lists, its id first:

    {"id":"...","name":"signup","timestamp":"...","properties":{...}}

The caller of `track` need not wait for an id and for the text of the time, which
take a fifth of the time of a call. Without them an event begins with the unix time in
nanoseconds, and whoever hands it on writes them:

    @1773144000123456789,"name":"signup","properties":{...}}
"""

from __future__ import annotations

import json
import os
import re
from decimal import Decimal
from typing import Any

from clamp_analytics._clock import now_ns, utc_text
from clamp_analytics._wire import (
    Event,
    Money,
    Properties,
    PropertyValue,
    json_text,
    members,
    optional_members,
    utf8,
)

# What the server takes, less what would have to be escaped in JSON or a header.
_ID = re.compile("[A-Za-z0-9._:-]{1,64}")

# No JSON begins with it.
_UNSTAMPED = b"@"


def new_id() -> str:
    """Make an id that no other event has: 128 random bits, as 32 hex digits."""
    return os.urandom(16).hex()


def checked_id(event_id: str) -> str:
    """Return an id that the application chose.

    Raises:
        ValueError: If the server, or a header, would not take it.
    """
    if not isinstance(event_id, str) or not _ID.fullmatch(event_id):
        raise ValueError(
            "event_id must be 1 to 64 letters, digits and characters of '._:-', not"
            f" {event_id!r:.100}"
        )
    return event_id


def encode_waiting(event_id: str, event: Event) -> bytes:
    """Write an event as a batch lists it, on one line, its id first.

    Raises:
        ValueError: As `encode_event`.
    """
    return utf8(f'{{"id":"{event_id}",{members(event)}}}')


def encode_unstamped(
    name: str, properties: Properties, anonymous_id: str | None, user_id: str | None
) -> bytes:
    """Write an event of this moment, but for its id and its time.

    Raises:
        ValueError: As `encode_event`.
    """
    others = optional_members(properties, anonymous_id, user_id)
    return utf8(f'@{now_ns()},"name":{json_text("name", name)}{others}}}')


def stamped(event: bytes, event_id: str) -> bytes:
    """Write what `encode_unstamped` left out; any other event is returned as it is."""
    if not event.startswith(_UNSTAMPED):
        return event
    text = event.decode()
    at_ends = text.index(",")
    at = utc_text(text[1:at_ends])
    return f'{{"id":"{event_id}","timestamp":"{at}"{text[at_ends:]}'.encode()


def decode_waiting(waiting: bytes) -> Event:
    """Read an event that waits; the timestamp comes back as text."""
    # Decimals, so that an amount keeps its digits.
    sent = json.loads(stamped(waiting, ""), parse_float=Decimal)
    properties = {
        key: _decoded(value) for key, value in sent.get("properties", {}).items()
    }
    return Event(
        sent["name"],
        sent["timestamp"],
        properties,
        sent.get("anonymousId"),
        sent.get("userId"),
    )


def _decoded(value: Any) -> PropertyValue:
    if isinstance(value, dict):
        return Money(**value)
    return float(value) if isinstance(value, Decimal) else value
