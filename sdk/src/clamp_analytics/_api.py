"""The module-level functions: a thin layer over one default `Clamp`."""

from __future__ import annotations

from datetime import datetime

from clamp_analytics import _client
from clamp_analytics._background import BackgroundDelivery, Path, Stats
from clamp_analytics._client import Clamp, default_client, replace_default_client
from clamp_analytics._compose import BeforeSend
from clamp_analytics._config import DEFAULT_TIMEOUT_S
from clamp_analytics._error_event import Context
from clamp_analytics._exchange import Transport
from clamp_analytics._intake import FLUSH_TIMEOUT_S
from clamp_analytics._report import OnError
from clamp_analytics._revenue import Billing, RevenueEvent
from clamp_analytics._wire import Amount, Properties


def init(
    project_id: str | None = None,
    api_key: str | None = None,
    endpoint: str | None = None,
    *,
    timeout_s: float = DEFAULT_TIMEOUT_S,
    background: bool | BackgroundDelivery = False,
    outbox: Path | None = None,
    before_send: BeforeSend | None = None,
    on_error: OnError | None = None,
    default_properties: Properties | None = None,
    enabled: bool = True,
    debug: bool = False,
    transport: Transport | None = None,
) -> None:
    """Set the client that the functions of this module use.

    Call it once when the process starts. Another call replaces the client, and
    what other threads are just sending, or have just queued, still arrives.

    Args:
        project_id: As in `Clamp`, and so are all the others.

    Raises:
        ClampError: If the project or the key is neither given nor in the
            environment, or the outbox cannot be written.
        ClampConnectionError: If the certificates that the environment names
            cannot be read.
        ValueError: If an option is out of its range.
    """
    replace_default_client(
        Clamp(
            project_id,
            api_key,
            endpoint,
            timeout_s=timeout_s,
            background=background,
            outbox=outbox,
            before_send=before_send,
            on_error=on_error,
            default_properties=default_properties,
            enabled=enabled,
            debug=debug,
            transport=transport,
        )
    )


def track(
    name: str,
    properties: Properties | None = None,
    anonymous_id: str | None = None,
    timestamp: datetime | str | None = None,
    *,
    user_id: str | None = None,
    event_id: str | None = None,
) -> bool:
    """Send an event with the client of `init()`; see `Clamp.track`.

    Raises:
        ClampNotInitializedError: If `init()` was not called.
    """
    client = default_client("track")
    return client.track(
        name,
        properties,
        anonymous_id,
        timestamp,
        user_id=user_id,
        event_id=event_id,
    )


def capture_error(
    exception: BaseException,
    context: Context | None = None,
    anonymous_id: str | None = None,
    timestamp: datetime | str | None = None,
    *,
    user_id: str | None = None,
    handled: bool = True,
) -> bool:
    """Send an exception with the client of `init()`; see `Clamp.capture_error`.

    Raises:
        ClampNotInitializedError: If `init()` was not called.
    """
    client = default_client("capture_error")
    return client.capture_error(
        exception,
        context,
        anonymous_id,
        timestamp,
        user_id=user_id,
        handled=handled,
    )


def identify(
    user_id: str,
    traits: Properties | None = None,
    anonymous_id: str | None = None,
    timestamp: datetime | str | None = None,
) -> bool:
    """Say who a visitor is, with the client of `init()`; see `Clamp.identify`.

    Raises:
        ClampNotInitializedError: If `init()` was not called.
    """
    client = default_client("identify")
    return client.identify(user_id, traits, anonymous_id, timestamp)


def revenue(
    amount: Amount,
    currency: str = "USD",
    *,
    event: RevenueEvent | None = None,
    plan: str | None = None,
    product: str | None = None,
    billing: Billing | None = None,
    previous_amount: Amount | None = None,
    mrr_delta: Amount | None = None,
    subscription_id: str | None = None,
    user_id: str | None = None,
    anonymous_id: str | None = None,
    timestamp: datetime | str | None = None,
    event_id: str | None = None,
) -> bool:
    """Send a payment with the client of `init()`; see `Clamp.revenue`.

    Raises:
        ClampNotInitializedError: If `init()` was not called.
    """
    return default_client("revenue").revenue(
        amount,
        currency,
        event=event,
        plan=plan,
        product=product,
        billing=billing,
        previous_amount=previous_amount,
        mrr_delta=mrr_delta,
        subscription_id=subscription_id,
        user_id=user_id,
        anonymous_id=anonymous_id,
        timestamp=timestamp,
        event_id=event_id,
    )


def flush(timeout: float = FLUSH_TIMEOUT_S) -> bool:
    """Wait until what was tracked is delivered; see `Clamp.flush`.

    Raises:
        ClampNotInitializedError: If `init()` was not called.
    """
    return default_client("flush").flush(timeout)


def close(timeout: float | None = None) -> bool:
    """Deliver what waits and end the client of `init()`; see `Clamp.close`.

    Raises:
        ClampNotInitializedError: If `init()` was not called.
    """
    return default_client("close").close(timeout)


def stats() -> Stats:
    """Count what became of the events; see `Clamp.stats`.

    Raises:
        ClampNotInitializedError: If `init()` was not called.
    """
    return default_client("stats").stats()


# Where version 0.2.0 defined them; see `_client`.
for _function in (init, track, capture_error):
    setattr(_client, _function.__name__, _function)
