"""The only place that reads the wall clock."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeAlias

# What a part of the server takes instead of reading the clock itself.
Clock: TypeAlias = Callable[[], datetime]


def now() -> datetime:
    """Return the current instant, aware, in UTC."""
    return datetime.now(UTC)
