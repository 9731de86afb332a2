"""The client object, and the one that the module functions use.

Version 0.2.0 was this one module, and tests of its users reach into it: for
`_reset_for_tests`, for a class to import, for `httpx` to patch. Those names are
kept here, and `_api` adds its functions.
"""

from __future__ import annotations

import os
from datetime import datetime
from types import TracebackType
from typing import cast

from clamp_analytics._background import BackgroundDelivery, Path, Stats
from clamp_analytics._compose import BeforeSend
from clamp_analytics._config import DEFAULT_ENDPOINT as DEFAULT_ENDPOINT
from clamp_analytics._config import DEFAULT_TIMEOUT_S, Config
from clamp_analytics._error_event import Context
from clamp_analytics._exchange import Transport
from clamp_analytics._intake import (
    FLUSH_TIMEOUT_S,
    IDENTIFY_EVENT,
    Intake,
    Options,
    Taken,
)
from clamp_analytics._report import OnError
from clamp_analytics._revenue import Billing, RevenueEvent, revenue_event
from clamp_analytics._wire import Amount
from clamp_analytics._wire import Money as Money
from clamp_analytics._wire import Properties as Properties
from clamp_analytics._wire import PropertyValue as PropertyValue
from clamp_analytics.errors import ClampError as ClampError
from clamp_analytics.errors import ClampHTTPError as ClampHTTPError
from clamp_analytics.errors import ClampNotInitializedError


class Clamp:
    """Sends the events of one project; safe with threads, and after a fork.

        with Clamp("proj_xxx", "sk_proj_xxx") as clamp:
            clamp.track("signup", {"plan": "pro"})

    By default a call waits until the server has the event, and raises when it has
    not. With `background` or `outbox` a call checks the event, puts it into a
    queue and returns; a thread delivers it.

    Args:
        project_id: None means the environment's `CLAMP_PROJECT_ID`.
        api_key: None means the environment's `CLAMP_API_KEY`.
        endpoint: Base URL of the server. None means the environment's
            `CLAMP_ENDPOINT`, and without it the hosted service.
        timeout_s: Longest wait, in seconds, of each step of a request: to connect,
            to send, and for the next part of the answer.
        background: True, or how to deliver in the background.
        outbox: A directory that keeps events until the server has them; short for
            `background=BackgroundDelivery(outbox=...)`.
        before_send: Gets each event and returns it, changed or not; None drops it.
            It is called by the thread that tracks.
        on_error: Called with an exception and events that background delivery
            could not deliver, on whichever thread found that out.
        default_properties: Of every event, unless it has a value of its own.
        enabled: False, or `CLAMP_DISABLED=1` in the environment, sends nothing:
            calls check their arguments and return False.
        debug: Write each event to the logger `clamp_analytics`, as INFO.
        transport: What carries requests instead of HTTP, as a test wants.

    Raises:
        ClampError: If the project or the key is in neither place, the key cannot
            be a header, or the outbox cannot be written.
        ClampConnectionError: If the certificates that the environment names
            cannot be read.
        ValueError: If an option is out of its range.
    """

    def __init__(
        self,
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
        self._transport = transport
        self._intake = Intake(
            (project_id, api_key, endpoint, timeout_s),
            Options(
                background,
                outbox,
                before_send,
                on_error,
                default_properties,
                enabled,
                debug,
            ),
            os.environ,
            self._opened,
        )
        if self._intake.config is not None:
            self._opened(self._intake.config, in_background=False)

    def _opened(self, config: Config, *, in_background: bool = True) -> Transport:
        if self._transport is None:
            # Not at the top: it imports httpx, which takes longer than all the
            # rest of this package, and a process that sends nothing need not wait.
            from clamp_analytics._transport import HttpTransport

            # There is such a name here only where a test put its own; see
            # `__getattr__`.
            self._transport = HttpTransport(
                config, lambda: globals().get("httpx"), in_background=in_background
            )
        return self._transport

    def __repr__(self) -> str:
        return self._intake.shown

    def track(
        self,
        name: str,
        properties: Properties | None = None,
        anonymous_id: str | None = None,
        timestamp: datetime | str | None = None,
        *,
        user_id: str | None = None,
        event_id: str | None = None,
    ) -> bool:
        """Send an event; without background delivery, wait until it is stored.

        What is not given here comes from the `context()` around the call.

        Args:
            properties: Values are `str`, `int`, `float`, `bool` or `Money`.
            anonymous_id: The browser's id of the visitor, to link the two.
            timestamp: When it happened: a `datetime` (UTC where it is naive) or
                ISO 8601 text, sent as it is. None means now.
            user_id: Your own id of the user.
            event_id: Of what may be told twice, as a webhook tells of a payment:
                of the events with one id, in 7 days, the server stores the first.
                1 to 64 letters, digits and characters of `._:-`; None means an id
                that no other event has.

        Returns:
            True: the server has it, or background delivery will bring it there.
            False: `before_send` dropped it, the client is switched off, or the
            queue is full, which `on_error` is told.

        Raises:
            ValueError: If an argument cannot be sent; it names which, and what
                to write instead.
            ClampHTTPError: If the server answers anything but 2xx.
            ClampConnectionError: If it cannot be reached or does not answer.
            ClampError: If this client was closed.
        """
        taken = self._intake.track(
            name, properties, anonymous_id, timestamp, user_id, event_id
        )
        return taken if isinstance(taken, bool) else self._sent(taken)

    def capture_error(
        self,
        exception: BaseException,
        context: Context | None = None,
        anonymous_id: str | None = None,
        timestamp: datetime | str | None = None,
        *,
        user_id: str | None = None,
        handled: bool = True,
    ) -> bool:
        """Send an exception as a `$error` event, as `track()` does.

        Message, type and stack come from the exception, its causes and, in a
        group, its members; over 1,024, 64 and 16,384 characters they are cut.

        Args:
            context: Properties to add: `str`, `int`, `float`, `bool`. Other
                values and the key `handled` are left out in silence.
            anonymous_id: As in `track()`.
            timestamp: As in `track()`.
            user_id: As in `track()`.
            handled: False if nothing caught it, as `error.handled` says then.

        Returns:
            As `track()`.

        Raises:
            TypeError: If `exception` is not an exception instance.
            ClampHTTPError: As in `track()`.
            ClampConnectionError: As in `track()`.
            ClampError: As in `track()`.
        """
        return self._sent(
            self._intake.capture_error(
                exception, context, anonymous_id, timestamp, user_id, handled=handled
            )
        )

    def identify(
        self,
        user_id: str,
        traits: Properties | None = None,
        anonymous_id: str | None = None,
        timestamp: datetime | str | None = None,
    ) -> bool:
        """Say who a visitor is: a `$identify` event.

        Args:
            user_id: Your own id of the user.
            traits: Properties of the user.
            anonymous_id: The visitor who turned out to be this user. None takes
                that of the `context()` around the call.
            timestamp: As in `track()`.

        Returns:
            As `track()`, which says what it raises as well.
        """
        return self.track(
            IDENTIFY_EVENT, traits, anonymous_id, timestamp, user_id=user_id
        )

    def revenue(
        self,
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
        """Send a payment, or a change of a subscription.

        Args:
            amount: For one period of `billing`, in major units.
            currency: ISO 4217 code.
            event: None means `purchase` when paid once, else
                `subscription_started`.
            plan: Subscription events need it.
            product: A purchase needs it.
            billing: None means `monthly` with a plan, else `one_time`.
            previous_amount: What a period cost before; upgrades and downgrades
                need it.
            mrr_delta: Change of the monthly recurring revenue. None means that it
                follows from the rest.
            subscription_id: Your own, or your payment provider's.
            user_id: As in `track()`.
            anonymous_id: As in `track()`.
            timestamp: As in `track()`.
            event_id: As in `track()`; for what a webhook told, the id that it gave.

        Returns:
            As `track()`.

        Raises:
            ValueError: If an argument is missing or unknown; it says what to
                write instead.
            ClampError: As in `track()`.
        """
        name, properties = revenue_event(
            amount,
            currency,
            event=event,
            plan=plan,
            product=product,
            billing=billing,
            previous_amount=previous_amount,
            mrr_delta=mrr_delta,
            subscription_id=subscription_id,
        )
        return self.track(
            name,
            properties,
            anonymous_id,
            timestamp,
            user_id=user_id,
            event_id=event_id,
        )

    def flush(self, timeout: float = FLUSH_TIMEOUT_S) -> bool:
        """Wait until the server has everything that was tracked before.

        Args:
            timeout: In seconds.

        Returns:
            False if the time was over first, or an event was lost since the flush
            before. Without background delivery True: nothing ever waits.
        """
        delivery = self._intake.delivery
        return delivery is None or delivery.flush(timeout)

    def close(self, timeout: float | None = None) -> bool:
        """Deliver what waits, and close the connections.

        Calls under way on other threads finish first; later ones raise a
        `ClampError`.

        Args:
            timeout: Longest wait, in seconds. None means the `exit_timeout` of
                background delivery.

        Returns:
            As `flush()`. What an outbox keeps is delivered by the next process.
        """
        self._intake.is_closed = True
        delivery = self._intake.delivery
        is_whole = delivery is None or delivery.close(timeout)
        self._retire()
        return is_whole

    def stats(self) -> Stats:
        """Count what became of the events of this client in this process."""
        return self._intake.stats()

    def _sent(self, taken: Taken) -> bool:
        if isinstance(taken, bool):
            return taken
        # A request only comes where there is somewhere to send it.
        answer = cast("Transport", self._transport).post(*taken)
        if not answer.is_success:
            raise ClampHTTPError(answer.status_code, answer.text)
        self._intake.reporter.sent(1)
        return True

    def _retire(self) -> None:
        if self._intake.delivery is not None:
            self._intake.delivery.retire()
        if self._transport is not None:
            self._transport.retire()

    def __enter__(self) -> Clamp:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


_default: Clamp | None = None


def default_client(call: str) -> Clamp:
    """The client of the last `init()`.

    Args:
        call: Who asks, for the message.

    Raises:
        ClampNotInitializedError: If there was none.
    """
    if _default is None:
        raise ClampNotInitializedError(f"call init() before {call}()")
    return _default


def replace_default_client(client: Clamp | None) -> None:
    """Make `client` the default; calls under way on the one before it finish."""
    global _default
    before, _default = _default, client
    if before is not None:
        before._retire()


def _reset_for_tests() -> None:
    """Forget the last `init()`. Fixtures written for 0.2.0 call this."""
    replace_default_client(None)


def __getattr__(name: str) -> object:
    # For `patch("clamp_analytics._client.httpx")`, and `.post` of it, without
    # importing httpx for everybody else.
    if name == "httpx":
        from clamp_analytics import _transport

        return vars(_transport)[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
