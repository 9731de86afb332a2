"""Calls that type checkers must accept, and some that they must not.

Nothing runs this file; mypy and basedpyright read it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path

from clamp_analytics import (
    AsyncClamp,
    BackgroundDelivery,
    Clamp,
    ClampConnectionError,
    ClampError,
    ClampHTTPError,
    ClampNotInitializedError,
    Event,
    Money,
    QueueFullError,
    Stats,
    capture_error,
    close,
    context,
    flush,
    identify,
    init,
    revenue,
    stats,
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


def scrub(event: Event) -> Event | None:
    event.properties.pop("email", None)
    event.properties["plan"] = "pro"
    event.user_id = None
    return event if event.name != "secret" else None


def same(event: Event) -> Event:
    return event


def tell(error: Exception, events: Sequence[Event]) -> None:
    names: list[str] = [event.name for event in events]
    if isinstance(error, QueueFullError):
        names.append(error.reason)


init(background=True, before_send=scrub, on_error=tell, debug=True)
init(background=BackgroundDelivery(), before_send=same, enabled=False)
init(outbox="here", default_properties={"app": "shop", "seats": 3})
init(outbox=Path("here"), on_error=lambda error, events: len(events))
how = BackgroundDelivery(
    max_events=10,
    max_bytes=1_000,
    linger_s=1,
    exit_timeout=2.5,
    outbox=Path("here"),
    outbox_max_bytes=10_000,
)

known: bool = identify("u_1", {"plan": "pro"}, "aid_xxx", "2026-01-01T00:00:00Z")
paid: bool = revenue(29, plan="pro", billing="annual", event="subscription_upgraded")
revenue(Decimal("29.00"), "EUR", product="book", previous_amount=19.5, mrr_delta=0)
arrived: bool = flush() and flush(2.5) and close() and close(timeout=2)
counts: Stats = stats()
dropped: Mapping[str, int] = counts.dropped
left: int = counts.waiting + counts.sent

with context(anonymous_id="aid_xxx", user_id="u_1", properties={"plan": "pro"}):
    track("export")


@context(user_id="u_1")
def decorated(number: int) -> str:
    return str(number)


text: str = decorated(3)


async def from_asyncio() -> None:
    async with AsyncClamp("proj_xxx", "sk_proj_xxx", background=how) as clamp:
        sent: bool = await clamp.track("signup", {"plan": "pro"}, user_id="u_1")
        sent = await clamp.capture_error(KeyError("x"), handled=False)
        sent = await clamp.identify("u_1") and await clamp.revenue(29, plan="pro")
        sent = sent and await clamp.flush(2.0) and await clamp.close()


amount: float | Decimal = Money(29, "USD").amount

track("signup", {"items": [1, 2]})  # type: ignore[dict-item]  # pyright: ignore[reportArgumentType]
track("signup", "u_1", "aid", None, "u_1")  # type: ignore[call-arg, arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
Money("29.00", "USD")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
capture_error("boom")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
init("proj_xxx", "sk_proj_xxx", None, 5.0)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
init(background="yes")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
init(before_send=lambda event: event.name)  # type: ignore[arg-type, return-value]  # pyright: ignore[reportArgumentType]
revenue("29")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
revenue(29, event="refund")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
how.linger_s = 2.0  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
counts.dropped["x"] = 1  # type: ignore[index]  # pyright: ignore[reportIndexIssue]
decorated("3")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
