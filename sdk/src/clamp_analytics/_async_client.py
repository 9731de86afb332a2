"""The client object for asyncio."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime
from types import TracebackType
from typing import TypeVar, cast

from clamp_analytics._background import BackgroundDelivery, Path, Stats
from clamp_analytics._compose import BeforeSend
from clamp_analytics._config import DEFAULT_TIMEOUT_S, Config
from clamp_analytics._error_event import Context
from clamp_analytics._exchange import AsyncTransport, Transport
from clamp_analytics._intake import (
    FLUSH_TIMEOUT_S,
    IDENTIFY_EVENT,
    Intake,
    Options,
    Taken,
)
from clamp_analytics._report import OnError
from clamp_analytics._revenue import Billing, RevenueEvent, revenue_event
from clamp_analytics._wire import Amount, Properties
from clamp_analytics.errors import ClampHTTPError

Given = TypeVar("Given")
Result = TypeVar("Result")


class AsyncClamp:
    """Sends the events of one project from asyncio, without blocking its loop.

        async with AsyncClamp("proj_xxx", "sk_proj_xxx") as clamp:
            await clamp.track("signup", {"plan": "pro"})

    Calls, arguments and errors are those of `Clamp`. With `background` or `outbox`
    a call only puts the event into a queue, and a thread delivers it. One object
    may be used from several event loops. Make it where a wait of 20 ms does no
    harm: TLS is set up once, then.

    Args:
        project_id: As in `Clamp`, and so are all the others.

    Raises:
        ClampError: As `Clamp`.
        ClampConnectionError: As `Clamp`.
        ValueError: As `Clamp`.
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
    ) -> None:
        self._delivering: Transport | None = None
        self._transport: AsyncTransport | None = None
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
        if self._intake.config is not None and self._intake.delivery is None:
            from clamp_analytics._async_transport import AsyncHttpTransport

            self._transport = AsyncHttpTransport(self._intake.config)

    def _opened(self, config: Config) -> Transport:
        # Not at the top: it imports httpx.
        from clamp_analytics._transport import HttpTransport

        self._delivering = HttpTransport(config, in_background=True)
        return self._delivering

    def __repr__(self) -> str:
        return f"Async{self._intake.shown}"

    async def track(
        self,
        name: str,
        properties: Properties | None = None,
        anonymous_id: str | None = None,
        timestamp: datetime | str | None = None,
        *,
        user_id: str | None = None,
        event_id: str | None = None,
    ) -> bool:
        """Send an event; see `Clamp.track`."""
        return await self._sent(
            self._intake.track(
                name, properties, anonymous_id, timestamp, user_id, event_id
            )
        )

    async def capture_error(
        self,
        exception: BaseException,
        context: Context | None = None,
        anonymous_id: str | None = None,
        timestamp: datetime | str | None = None,
        *,
        user_id: str | None = None,
        handled: bool = True,
    ) -> bool:
        """Send an exception as a `$error` event; see `Clamp.capture_error`."""
        return await self._sent(
            self._intake.capture_error(
                exception, context, anonymous_id, timestamp, user_id, handled=handled
            )
        )

    async def identify(
        self,
        user_id: str,
        traits: Properties | None = None,
        anonymous_id: str | None = None,
        timestamp: datetime | str | None = None,
    ) -> bool:
        """Say who a visitor is; see `Clamp.identify`."""
        return await self.track(
            IDENTIFY_EVENT, traits, anonymous_id, timestamp, user_id=user_id
        )

    async def revenue(
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
        """Send a payment, or a change of a subscription; see `Clamp.revenue`."""
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
        return await self.track(
            name,
            properties,
            anonymous_id,
            timestamp,
            user_id=user_id,
            event_id=event_id,
        )

    async def flush(self, timeout: float = FLUSH_TIMEOUT_S) -> bool:
        """Wait until the server has everything tracked before; see `Clamp.flush`."""
        delivery = self._intake.delivery
        return delivery is None or await _in_thread(delivery.flush, timeout)

    async def close(self, timeout: float | None = None) -> bool:
        """Deliver what waits, and close the connections; see `Clamp.close`.

        Those of other event loops than this one are closed with their loops.
        """
        self._intake.is_closed = True
        delivery, is_whole = self._intake.delivery, True
        if delivery is not None:
            is_whole = await _in_thread(delivery.close, timeout)
        if self._delivering is not None:
            self._delivering.retire()
        if self._transport is not None:
            await self._transport.close()
        return is_whole

    def stats(self) -> Stats:
        """Count what became of the events of this client in this process."""
        return self._intake.stats()

    async def _sent(self, taken: Taken) -> bool:
        if isinstance(taken, bool):
            return taken
        # A request only comes where there is somewhere to send it.
        answer = await cast("AsyncTransport", self._transport).post(*taken)
        if not answer.is_success:
            raise ClampHTTPError(answer.status_code, answer.text)
        self._intake.reporter.sent(1)
        return True

    async def __aenter__(self) -> AsyncClamp:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()


async def _in_thread(call: Callable[[Given], Result], given: Given) -> Result:
    # Not at the top: it takes as long to import as all the rest of this package,
    # and whoever gets here has it.
    import asyncio

    return await asyncio.to_thread(call, given)
