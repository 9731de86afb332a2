"""One attempt to bring events to the server, and what came of it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from clamp_analytics._batch import (
    COMPRESS_FROM_BYTES,
    MAX_BATCH_BYTES,
    MAX_BATCH_EVENTS,
    batch_body,
    rejected_events,
    single_body,
)
from clamp_analytics._exchange import Answer, Transport
from clamp_analytics._fan import for_each
from clamp_analytics._report import Reporter
from clamp_analytics._retry import Reply, next_step, ordered_wait_s
from clamp_analytics.errors import (
    ClampConnectionError,
    ClampError,
    ClampHTTPError,
)

# One event a request: so many under way at once, for a server that is 20 ms away.
MAX_CONNECTIONS = 32
# After a 413, which a proxy in front of the server may give, batches are halved,
# but not to less than the largest event.
MIN_BATCH_BYTES = 64 * 1024


@dataclass(frozen=True)
class Attempt:
    """What is left to do after an attempt.

    Attributes:
        left: Events that have to be sent again.
        wait_s: How long the server asked to wait before that, in seconds.
        trouble: Why they are left.
        is_heard: Whether the server answered anything.
    """

    left: list[bytes] = field(default_factory=list)
    wait_s: float = 0.0
    trouble: Exception | None = None
    is_heard: bool = True


class Sender:
    """Sends events as batches, or one by one to a server that has no batches.

    Used by one thread at a time.

    Attributes:
        max_events: How many to hand over at a time.
        max_bytes: The same in bytes of JSON.
        done: Events that the server took or refused for good, also while `send`
            has not returned yet; whoever settles them clears it.
    """

    def __init__(
        self, project_id: str, transport: Transport, reporter: Reporter
    ) -> None:
        self._project_id = project_id
        self._transport = transport
        self._reporter = reporter
        self._takes_batches = True
        self.max_events = MAX_BATCH_EVENTS
        self.max_bytes = MAX_BATCH_BYTES
        self.done: list[bytes] = []

    def send(self, events: list[bytes]) -> Attempt:
        """Try once to bring events to the server.

        Those that it refuses are told and are not among what is left.
        """
        if self._takes_batches:
            return self._send_batch(events)
        return self._send_singles(events)

    def _send_batch(self, events: list[bytes]) -> Attempt:
        body = batch_body(self._project_id, events)
        reply = self._reply("/e/s/batch", body)
        step = next_step(reply, is_batch=True, events=len(events))
        if step == "halves":
            self.max_bytes = max(len(body) // 2, MIN_BATCH_BYTES)
            return self._send_halves(events)
        if step == "one_by_one":
            # Remembered: a server does not get batches while a process runs.
            self._takes_batches = False
            return self._send_singles(events)
        if step == "again" or isinstance(reply, ClampConnectionError):
            return _again(events, reply)
        self._settle(events, reply)
        return Attempt()

    def _send_halves(self, events: list[bytes]) -> Attempt:
        middle = len(events) // 2
        first = self._send_batch(events[:middle])
        second = self._send_batch(events[middle:])
        return _joined([first, second])

    def _send_singles(self, events: list[bytes]) -> Attempt:
        troubled: list[Reply] = []

        def attempt(event: bytes) -> Attempt:
            # One that failed speaks for those behind it: a server that hangs would
            # be waited for by each.
            if troubled:
                return Attempt([event], is_heard=False)
            body, event_id = single_body(self._project_id, event)
            reply = self._reply("/e/s", body, event_id)
            step = next_step(reply, is_batch=False, events=1)
            if step == "again" or isinstance(reply, ClampConnectionError):
                troubled.append(reply)
                return _again([event], reply)
            self._settle([event], reply)
            return Attempt()

        return _joined(for_each(attempt, events, MAX_CONNECTIONS))

    def _reply(self, path: str, body: bytes, event_id: str | None = None) -> Reply:
        headers = {"idempotency-key": event_id} if event_id else None
        # Only a server with batches is known to read gzip.
        compress = event_id is None and len(body) >= COMPRESS_FROM_BYTES
        try:
            return self._transport.post(path, body, headers, compress=compress)
        except ClampConnectionError as error:
            return error

    def _settle(self, events: Sequence[bytes], reply: Answer) -> None:
        """Count events that the server took or refused for good."""
        self.done.extend(events)
        if not reply.is_success:
            self._reporter.drop(f"http_{reply.status_code}", _error(reply), events)
            return
        rejected = rejected_events(reply, len(events))
        for one in rejected:
            why = ClampError(f"the server refused an event: {one.message}")
            self._reporter.drop("rejected", why, [events[one.index]])
        self._reporter.sent(len(events) - len(rejected))


def _again(events: list[bytes], reply: Reply) -> Attempt:
    return Attempt(
        events,
        ordered_wait_s(reply, time.time()),
        _error(reply),
        is_heard=isinstance(reply, Answer),
    )


def _error(reply: Reply) -> ClampError:
    if isinstance(reply, Answer):
        return ClampHTTPError(reply.status_code, reply.text)
    return reply


def _joined(attempts: Sequence[Attempt]) -> Attempt:
    troubles = [one.trouble for one in attempts if one.trouble]
    return Attempt(
        [event for one in attempts for event in one.left],
        max(one.wait_s for one in attempts),
        troubles[0] if troubles else None,
        any(one.is_heard for one in attempts),
    )
