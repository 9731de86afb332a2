"""What `Clamp` and `AsyncClamp` have in common.

From a call to bytes, or into the queue of background delivery.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple, Union

from clamp_analytics._background import BackgroundDelivery, Path, Stats
from clamp_analytics._capture import taker
from clamp_analytics._compose import BeforeSend, Composer
from clamp_analytics._config import Config, is_disabled, read_config
from clamp_analytics._error_event import Context
from clamp_analytics._report import LOGGER, OnError, Reporter
from clamp_analytics._waiting import (
    checked_id,
    encode_unstamped,
    encode_waiting,
    new_id,
)
from clamp_analytics._wire import Event, Properties, encode_event
from clamp_analytics.errors import ClampError

if TYPE_CHECKING:
    from clamp_analytics._delivery import Delivery
    from clamp_analytics._exchange import Transport
    from clamp_analytics._queue import Queue

IDENTIFY_EVENT = "$identify"
# The default wait of `flush()`, in seconds: two of the longest steps of a request.
FLUSH_TIMEOUT_S = 10.0


# No dataclass, as in `_context`.
class Options(NamedTuple):
    """What a client is told besides where it sends and as whom."""

    background: bool | BackgroundDelivery = False
    outbox: Path | None = None
    before_send: BeforeSend | None = None
    on_error: OnError | None = None
    default_properties: Properties | None = None
    enabled: bool = True
    debug: bool = False

    def delivery(self) -> BackgroundDelivery | None:
        """How events are delivered in the background; None when they are not.

        Raises:
            ValueError: If `background` is neither a bool nor a way to deliver.
        """
        chosen = self.background
        if isinstance(chosen, bool):
            if not chosen and self.outbox is None:
                return None
            chosen = BackgroundDelivery()
        if not isinstance(chosen, BackgroundDelivery):
            raise ValueError(
                "background must be True, False or a BackgroundDelivery, not"
                f" {type(chosen).__name__}"
            )
        return chosen if self.outbox is None else replace(chosen, outbox=self.outbox)


class Unsent(NamedTuple):
    """The request that brings one event to the server.

    Attributes:
        headers: None where it needs none of its own.
    """

    path: str
    body: bytes
    headers: Mapping[str, str] | None = None


# True: it waits for background delivery. False: it goes nowhere.
Taken = Union[bool, Unsent]


class Intake:
    """Takes the events of one client.

    Args:
        given: Project, key, endpoint and timeout, as the caller gave them.
        environ: Where the off switch is looked for, and what was not given.
        open_transport: Called when events are to be delivered in the background.

    Attributes:
        config: None where the client is switched off.
        delivery: None where the caller sends.
        reporter: Counts what became of the events.

    Raises:
        ClampError: As `read_config`, and if the outbox cannot be written.
        ValueError: If an argument is out of range.
    """

    def __init__(
        self,
        given: tuple[str | None, str | None, str | None, float],
        options: Options,
        environ: Mapping[str, str],
        open_transport: Callable[[Config], Transport],
    ) -> None:
        self.is_closed = False
        self.reporter = Reporter(options.on_error)
        self._is_debug = options.debug
        self._composer = Composer(options.default_properties, options.before_send)
        how = options.delivery()
        self.config: Config | None = None
        self.delivery: Delivery | None = None
        # A developer's machine has no key, and need not have one; nor has a test.
        if options.enabled and not is_disabled(environ) and taker() is None:
            self.config = read_config(*given, environ)
            if how is not None:
                transport = open_transport(self.config)
                self.delivery = _delivery(self.config, how, transport, self.reporter)
        # Where nobody has to see an `Event`, none is made: it takes as long as putting
        # the bytes into the queue.
        is_seen = options.debug or options.before_send is not None
        self._direct = None if is_seen else self.delivery

    def track(
        self,
        name: str,
        properties: Properties | None,
        anonymous_id: str | None,
        timestamp: datetime | str | None,
        user_id: str | None,
        event_id: str | None,
    ) -> Taken:
        """Take an event.

        Raises:
            ValueError: If it cannot be sent.
            ClampError: If the client was closed.
        """
        if self.is_closed:
            raise _closed()
        direct = self._direct
        is_of_now = timestamp is None and event_id is None
        if direct is not None and is_of_now and taker() is None:
            merged, anonymous_id, user_id = self._composer.merged(
                properties, anonymous_id, user_id
            )
            return direct.put(encode_unstamped(name, merged, anonymous_id, user_id))
        if event_id is not None:
            checked_id(event_id)
        return self._take(
            self._composer.event(name, properties, anonymous_id, timestamp, user_id),
            event_id,
        )

    def capture_error(
        self,
        exception: BaseException,
        context: Context | None,
        anonymous_id: str | None,
        timestamp: datetime | str | None,
        user_id: str | None,
        *,
        handled: bool,
    ) -> Taken:
        """Take an exception as a `$error` event.

        Raises:
            TypeError: If `exception` is none.
            ClampError: If the client was closed.
        """
        if self.is_closed:
            raise _closed()
        return self._take(
            self._composer.error_event(
                exception, context, anonymous_id, timestamp, user_id, handled=handled
            )
        )

    @property
    def shown(self) -> str:
        """The client as its `repr` shows it: without the key."""
        if self.config is None:
            return "Clamp(enabled=False)"
        endpoint = self.config.shown_endpoint
        return f"Clamp({self.config.project_id!r}, endpoint={endpoint!r})"

    def stats(self) -> Stats:
        """Count what became of the events."""
        if self.delivery is not None:
            return self.delivery.stats()
        return Stats(self.reporter.sent_count, 0, self.reporter.dropped)

    def _take(self, event: Event | None, event_id: str | None = None) -> Taken:
        if event is None:
            self.reporter.count("before_send", 1)
            return False
        if self.delivery is None:
            project_id = self.config.project_id if self.config else ""
            body = encode_event(project_id, event)
        else:
            body = encode_waiting(event_id or new_id(), event)
        if self._is_debug:
            self._log(body)
        take = taker()
        if take is not None:
            take(event)
            return True
        if self.config is None:
            return False
        if self.delivery is not None:
            return self.delivery.put(body)
        headers = {"idempotency-key": event_id} if event_id else None
        return Unsent("/e/s", body, headers)

    def _log(self, body: bytes) -> None:
        # Here, so that a process that only starts up does not import it.
        import logging

        state = "event" if self.config else "event, not sent: Clamp is switched off"
        logging.getLogger(LOGGER).info("%s: %s", state, body.decode())


def _closed() -> ClampError:
    return ClampError("this Clamp was closed")


def _delivery(
    config: Config, how: BackgroundDelivery, transport: Transport, reporter: Reporter
) -> Delivery:
    # Here, because a client that sends by itself needs none of it.
    from clamp_analytics._delivery import Delivery
    from clamp_analytics._memory_queue import MemoryQueue
    from clamp_analytics._outbox import Outbox

    queue: Queue
    if how.outbox is None:
        queue = MemoryQueue(how.max_events, how.max_bytes)
    else:
        queue = Outbox(
            how.outbox, config.project_id, how.outbox_max_bytes, reporter.drop
        )
    return Delivery(config.project_id, transport, queue, how, reporter)
