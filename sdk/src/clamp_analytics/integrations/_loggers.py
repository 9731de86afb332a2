"""Loggers whose records nobody sends.

Our own and the HTTP client's write while an event is sent; those of a framework
tell what its integration has captured, or knows not to be final.
"""

from __future__ import annotations

_left_out = {"clamp_analytics", "httpx", "httpcore"}


def leave_out(name: str) -> None:
    """Send no records of the logger `name`, nor of those below it."""
    _left_out.add(name)


def is_left_out(name: str) -> bool:
    """Whether no records of the logger `name` are sent.

    >>> [is_left_out(name) for name in ("httpx", "httpcore.http11", "httpxy", "shop")]
    [True, True, False, False]
    """
    parts = name.split(".")
    prefixes = (".".join(parts[:count]) for count in range(1, len(parts) + 1))
    return not _left_out.isdisjoint(prefixes)
