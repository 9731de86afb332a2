"""The wire's `timestamp`, as an instant."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from clamp_server.ingest.drop_reason import invalid, kind, shown

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
# A client's clock may be off, or in another zone than its programmer thought.
FURTHEST_AHEAD = timedelta(hours=24)

# Calendar date, then optionally a time, then optionally an offset, in ISO 8601's
# extended and basic forms. `datetime.fromisoformat` alone takes any character
# between date and time and would read "2026-01-01-05:00" as five in the morning,
# half an hour, "06.5", as half a second, and the x of "06:30:00xZ" as nothing.
_SHAPE = re.compile(
    r"\d{4}-?\d\d-?\d\d"
    r"(?:[Tt ]\d\d(?::?\d\d(?::?\d\d(?:[.,]\d+)?)?)?(?:[Zz]|[+-]\d\d(?::?\d\d)?)?)?",
    re.ASCII,
)
_ALLOWED = "ISO 8601 is allowed, such as 2026-03-10T12:00:00Z"


def decode_timestamp(sent: object, received_at: datetime) -> datetime | None:
    """Read an instant, cut to whole milliseconds; None where none was sent.

    No offset means UTC, no time of day means midnight.

    Args:
        received_at: The instant that "24 hours from now" counts from.

    Raises:
        InvalidRequestError: Not ISO 8601, before 2000 or too far ahead.
    """
    if sent is None or sent == "":
        return None
    if not isinstance(sent, str):
        raise invalid("wrong_type", "timestamp", kind(sent), f"text in {_ALLOWED}")
    at = _instant(sent)
    if at is None:
        raise invalid("invalid_value", "timestamp", shown(sent), _ALLOWED)
    # Comparing first: adding two times takes as long as all the rest.
    if at < EARLIEST or (at > received_at and at > received_at + FURTHEST_AHEAD):
        raise invalid(
            "over_limit",
            "timestamp",
            shown(sent),
            "2000-01-01 to 24 hours from now is allowed",
        )
    # Both stores keep milliseconds; cut here, so that they keep the same ones.
    finer = at.microsecond % 1000
    return at - timedelta(microseconds=finer) if finer else at


def _instant(text: str) -> datetime | None:
    if not _SHAPE.fullmatch(text):
        return None
    try:
        # Python 3.11 reads "Z" but not "z".
        at = datetime.fromisoformat(text.upper())
        if at.tzinfo is UTC:
            return at
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    # OverflowError: the year 1 or 9999, with an offset that leaves the calendar.
    except (ValueError, OverflowError):
        return None
