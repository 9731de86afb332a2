"""What became of events: counted, and what was lost handed on or logged.

`logging` is imported where it is needed: a process that only starts up does not
pay for it.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from threading import RLock
from typing import TYPE_CHECKING

from clamp_analytics._waiting import decode_waiting
from clamp_analytics._wire import Event

if TYPE_CHECKING:
    import logging

OnError = Callable[[Exception, Sequence[Event]], object]

LOGGER = "clamp_analytics"
# A server that is away fails every few seconds; nobody reads that many lines.
SECONDS_A_LINE = 60.0


class Reporter:
    """Counts, and tells the application, or else its log, what was lost and why.

    Args:
        on_error: Called with each loss; None writes lines to the log instead, at
            most one a minute.
    """

    def __init__(self, on_error: OnError | None) -> None:
        self._on_error = on_error
        self.forked()

    def forked(self) -> None:
        """Begin anew in a forked child: what was lost so far is the parent's."""
        self._lock = RLock()
        self._sent = 0
        self._dropped: Counter[str] = Counter()
        self._lost = 0
        self._untold = 0
        self._last: tuple[str, Exception | None] = ("", None)
        self._line_due_s: dict[str, float] = {}

    def sent(self, events: int) -> None:
        """Count events that the server has."""
        with self._lock:
            self._sent += events

    @property
    def sent_count(self) -> int:
        """How many events the server has."""
        return self._sent

    @property
    def dropped(self) -> dict[str, int]:
        """How many events were lost, by reason."""
        with self._lock:
            return dict(self._dropped)

    @property
    def lost_count(self) -> int:
        """How many events were lost that the application did not drop itself."""
        return self._lost

    def count(self, reason: str, events: int) -> None:
        """Count events that were dropped as the application wished."""
        with self._lock:
            self._dropped[reason] += events

    def drop(self, reason: str, error: Exception, events: Sequence[bytes]) -> None:
        """Count events as lost, and tell of them; never raises."""
        self.count(reason, len(events))
        with self._lock:
            self._lost += len(events)
            self._untold += len(events)
            self._last = (reason, error)
        if self._on_error is None:
            if events:
                self._tell()
            else:
                # Of a file that nobody can read, nobody knows how many were in it.
                _logger().warning("events may be lost: %s", error)
            return
        try:
            self._on_error(error, _readable(events))
        # The application's own function: what it raises must not end delivery.
        except Exception:
            if self._is_due("on_error"):
                _logger().exception("on_error raised")

    def trouble(self, error: Exception) -> None:
        """Say in the log, now and then, why events are not delivered yet."""
        if self._is_due("trouble"):
            _logger().warning("events wait, and are tried again: %s", error)

    def finish(self) -> None:
        """Tell of the losses that no line has told of yet."""
        if self._untold:
            self._line_due_s.clear()
            self._tell()

    def _tell(self) -> None:
        if self._on_error is None and self._is_due("loss"):
            with self._lock:
                untold, self._untold = self._untold, 0
                reason, error = self._last
            message = "%d events were dropped, the last one as %s: %s"
            _logger().warning(message, untold, reason, error)

    def _is_due(self, kind: str) -> bool:
        now_s = time.monotonic()
        with self._lock:
            if now_s < self._line_due_s.get(kind, 0.0):
                return False
            self._line_due_s[kind] = now_s + SECONDS_A_LINE
            return True


def _readable(events: Sequence[bytes]) -> list[Event]:
    readable = []
    for event in events:
        # What a damaged outbox gives is no JSON, or not that of an event.
        with suppress(ValueError, KeyError, TypeError, AttributeError):
            readable.append(decode_waiting(event))
    return readable


def _logger() -> logging.Logger:
    import logging

    return logging.getLogger(LOGGER)
