"""Calls that type checkers must accept, and some that they must not.

Nothing runs this file; mypy and basedpyright read it.
"""

from __future__ import annotations

from datetime import datetime, timezone
from decimal import Decimal

from clamp_analytics import (
    Clamp,
    ClampConnectionError,
    ClampError,
    ClampHTTPError,
    ClampNotInitializedError,
    Money,
    capture_error,
    init,
    track,
)

init("proj_xxx", "sk_proj_xxx")
init("proj_xxx", "sk_proj_xxx", "https://clamp.example")
init(project_id="proj_xxx", api_key="sk_proj_xxx", endpoint=None)
init()
init(timeout_s=2)

sent: bool = track("signup")
track("signup", {"plan": "pro", "seats": 3, "share": 0.5, "paid": True})
track("purchase", {"total": Money(29.00, "USD"), "tax": Money(Decimal("4.35"), "USD")})
track("signup", None, "aid_xxx", datetime.fromtimestamp(0, timezone.utc))
track("signup", anonymous_id="aid_xxx", timestamp="2026-01-01T00:00:00Z", user_id="u")

plans: dict[str, str] = {"plan": "pro"}
track("signup", plans)
capture_error(ValueError("x"), plans)

try:
    track("signup")
except ClampHTTPError as error:
    status: int = error.status_code
    body: str = error.body
except (ClampConnectionError, ClampNotInitializedError, ClampError) as failure:
    capture_error(failure, {"webhook": "stripe"}, "aid_xxx", user_id="u")

with Clamp("proj_xxx", "sk_proj_xxx", timeout_s=1.0) as clamp:
    also_sent: bool = clamp.track("signup", user_id="u")
    clamp.capture_error(KeyError("x"))

amount: float | Decimal = Money(29, "USD").amount

track("signup", {"items": [1, 2]})  # type: ignore[dict-item]  # pyright: ignore[reportArgumentType]
track("signup", "u_1", "aid", None, "u_1")  # type: ignore[call-arg, arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
Money("29.00", "USD")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
capture_error("boom")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
