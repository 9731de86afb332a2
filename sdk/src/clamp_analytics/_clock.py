"""The wall clock, as the text that goes over the wire."""

from __future__ import annotations

import time

# The last second and its text: writing a time of day takes three times as long as
# adding the fraction to one that is there. One tuple, so that threads never see
# the one without the other.
_second: tuple[str, str] = ("0", "1970-01-01T00:00:00.")


def now_text() -> str:
    """The current instant in UTC: 2026-03-10T12:00:00.123456Z."""
    global _second
    # As text at once: cutting digits takes half as long as dividing by them.
    digits = str(time.time_ns())
    at_s, microseconds = digits[:-9], digits[-9:-3]
    second = _second
    if second[0] != at_s:
        text = time.strftime("%Y-%m-%dT%H:%M:%S.", time.gmtime(int(at_s)))
        _second = second = (at_s, text)
    return f"{second[1]}{microseconds}Z"
