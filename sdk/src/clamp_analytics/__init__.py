"""Server-side analytics for Clamp: events, revenue as money, errors.

from clamp_analytics import init, track, Money

init(project_id="proj_xxx", api_key="sk_proj_xxx")
track("signup", properties={"plan": "pro"})
track("purchase", properties={"total": Money(29.00, "USD")})
"""

from clamp_analytics._api import (
    capture_error,
    close,
    flush,
    identify,
    init,
    revenue,
    stats,
    track,
)
from clamp_analytics._async_client import AsyncClamp
from clamp_analytics._background import BackgroundDelivery, Stats
from clamp_analytics._client import Clamp
from clamp_analytics._context import context
from clamp_analytics._version import __version__
from clamp_analytics._wire import Event, Money
from clamp_analytics.errors import (
    ClampConnectionError,
    ClampError,
    ClampHTTPError,
    ClampNotInitializedError,
    QueueFullError,
)

__all__ = [
    "AsyncClamp",
    "BackgroundDelivery",
    "Clamp",
    "ClampConnectionError",
    "ClampError",
    "ClampHTTPError",
    "ClampNotInitializedError",
    "Event",
    "Money",
    "QueueFullError",
    "Stats",
    "__version__",
    "capture_error",
    "close",
    "context",
    "flush",
    "identify",
    "init",
    "revenue",
    "stats",
    "track",
]
