"""Server-side analytics for Clamp: events, revenue as money, errors.

from clamp_analytics import init, track, Money

init(project_id="proj_xxx", api_key="sk_proj_xxx")
track("signup", properties={"plan": "pro"})
track("purchase", properties={"total": Money(29.00, "USD")})
"""

from clamp_analytics._api import capture_error, init, track
from clamp_analytics._client import Clamp
from clamp_analytics._version import __version__
from clamp_analytics._wire import Money
from clamp_analytics.errors import (
    ClampConnectionError,
    ClampError,
    ClampHTTPError,
    ClampNotInitializedError,
)

__all__ = [
    "Clamp",
    "ClampConnectionError",
    "ClampError",
    "ClampHTTPError",
    "ClampNotInitializedError",
    "Money",
    "__version__",
    "capture_error",
    "init",
    "track",
]
