"""Server-side analytics for Clamp: events, revenue as money, errors."""

from clamp_analytics._version import __version__
from clamp_analytics._wire import Money
from clamp_analytics.errors import (
    ClampConnectionError,
    ClampError,
    ClampHTTPError,
    ClampNotInitializedError,
)

__all__ = [
    "ClampConnectionError",
    "ClampError",
    "ClampHTTPError",
    "ClampNotInitializedError",
    "Money",
    "__version__",
]
