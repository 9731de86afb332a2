"""Events that wait, each as the JSON object that a batch lists, its id first."""

from __future__ import annotations

import json
import os
import re
from decimal import Decimal
from typing import Any

from clamp_analytics._wire import Event, Money, PropertyValue, members, utf8

# What the server takes, less what would have to be escaped in JSON or a header.
_ID = re.compile("[A-Za-z0-9._:-]{1,64}")


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


def decode_waiting(waiting: bytes) -> Event:
    """Read what `encode_waiting` wrote; the timestamp comes back as text."""
    # Decimals, so that an amount keeps its digits.
    sent = json.loads(waiting, parse_float=Decimal)
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
