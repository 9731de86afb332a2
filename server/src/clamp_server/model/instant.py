"""An instant as answers write it."""

from __future__ import annotations

from datetime import UTC, datetime


def encode_instant(at: datetime) -> str:
    """Write an aware instant in ISO 8601, UTC, whole milliseconds.

    >>> encode_instant(datetime(2026, 3, 10, 12, tzinfo=UTC))
    '2026-03-10T12:00:00.000Z'
    """
    return at.astimezone(UTC).isoformat(timespec="milliseconds")[:-6] + "Z"
