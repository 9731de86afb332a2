"""A call of `track()` as the arguments of a task, in plain JSON.

What the code that calls it knows goes along: the moment, and the `context()`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any, Union

from clamp_analytics import (
    Clamp,
    ClampConnectionError,
    ClampError,
    ClampHTTPError,
    Money,
)
from clamp_analytics._context import current

# As `Properties`, or with each `Money` as the JSON object that stands for it.
PackedProperties = Mapping[str, Union[str, int, float, bool, Money, "dict[str, Any]"]]

# Checks its arguments, and sends nothing.
_checker = Clamp(enabled=False)


def packed(
    name: str,
    properties: PackedProperties | None = None,
    anonymous_id: str | None = None,
    timestamp: datetime | str | None = None,
    *,
    user_id: str | None = None,
) -> dict[str, Any]:
    """Pack the arguments of `track()`; what is packed already stays as it is.

    Raises:
        ValueError: If they cannot be sent.
    """
    given = unpacked(properties)
    _checker.track(name, given, anonymous_id, timestamp, user_id=user_id)
    here = current()
    merged = {**here.properties, **(given or {})}
    return {
        "name": name,
        "properties": {key: _plain(value) for key, value in merged.items()},
        "anonymous_id": here.anonymous_id if anonymous_id is None else anonymous_id,
        "timestamp": _text(timestamp),
        "user_id": here.user_id if user_id is None else user_id,
    }


def unpacked(properties: PackedProperties | None) -> dict[str, Any] | None:
    """Make `Money` of what stands for it."""
    if not isinstance(properties, Mapping):
        return properties
    return {key: _value(value) for key, value in properties.items()}


def can_pass(error: ClampError) -> bool:
    """Whether sending the same again, later, may succeed."""
    if isinstance(error, ClampHTTPError):
        return error.status_code in (408, 425, 429) or error.status_code >= 500
    return isinstance(error, ClampConnectionError)


def _plain(value: object) -> object:
    if not isinstance(value, Money):
        return value
    amount = value.amount
    # As digits, so that not even JSON makes a binary fraction of it.
    is_decimal = isinstance(amount, Decimal)
    return {"amount": str(amount) if is_decimal else amount, "currency": value.currency}


def _value(value: Any) -> Any:
    if not isinstance(value, dict) or value.keys() != {"amount", "currency"}:
        return value
    amount = value["amount"]
    is_decimal = isinstance(amount, str)
    return Money(Decimal(amount) if is_decimal else amount, value["currency"])


def _text(timestamp: datetime | str | None) -> str:
    if timestamp is None:
        timestamp = datetime.now(timezone.utc)
    if not isinstance(timestamp, datetime):
        return timestamp
    if timestamp.utcoffset() is None:
        timestamp = timestamp.replace(tzinfo=timezone.utc)
    return timestamp.isoformat()
