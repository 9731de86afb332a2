"""Events that wait in memory, as many as there is room for."""

from __future__ import annotations

from collections import deque
from threading import Lock

from clamp_analytics._waiting import new_id, stamped
from clamp_analytics.errors import QueueFullError


class MemoryQueue:
    """First in, first out.

    Args:
        max_events: Beyond these, new ones are refused.
        max_bytes: The same in bytes; an event that comes alone always fits.

    Attributes:
        entered: Events that ever came in.
        left: Events that ever left.
    """

    def __init__(self, max_events: int, max_bytes: int) -> None:
        self._max_events = max_events
        self._max_bytes = max_bytes
        self._events: deque[bytes] = deque()
        self._taken: list[bytes] = []
        self._taken_bytes = 0
        # Of the sender and `close`; `put` never waits for it.
        self._taking = Lock()
        # Two sums that only grow, because two threads change them.
        self._entered_bytes = 0
        self._left_bytes = 0
        self.entered = 0
        self.left = 0

    def put(self, event: bytes) -> int:
        """Add an event and return how many wait now.

        Raises:
            QueueFullError: If there is no room.
        """
        waiting = self.entered - self.left
        waiting_bytes = self._entered_bytes - self._left_bytes
        size_bytes = len(event)
        if waiting >= self._max_events or (
            waiting and waiting_bytes + size_bytes > self._max_bytes
        ):
            raise QueueFullError(
                "queue_full",
                f"{waiting} events ({waiting_bytes} bytes) wait already, which is all"
                " that BackgroundDelivery(max_events=, max_bytes=) allows; is the"
                " server reachable?",
            )
        self._entered_bytes += size_bytes
        # Last, and with nothing in between where a signal's handler could raise.
        self.entered += 1
        self._events.append(event)
        return waiting + 1

    def take(self, max_events: int, max_bytes: int) -> list[bytes]:
        """Return the oldest events; the same ones again until `settle`.

        Args:
            max_bytes: Counts one byte more for each event; the first always fits.
        """
        with self._taking:
            if not self._taken:
                self._taken = self._oldest(max_events, max_bytes)
            return self._taken

    def settle(self) -> None:
        """Forget the events of the last `take`."""
        with self._taking:
            self._settle()

    def recount(self) -> None:
        """Mend the counts where a signal's handler broke off a `put`."""
        with self._taking:
            self.entered = self.left + len(self._taken) + len(self._events)
            here_bytes = self._taken_bytes + sum(map(len, self._events))
            self._entered_bytes = self._left_bytes + here_bytes

    def forked(self) -> None:
        """Begin empty: what waits is the parent's."""
        MemoryQueue.__init__(self, self._max_events, self._max_bytes)

    def close(self) -> list[bytes]:
        """Return what was never settled: it is lost, and has left."""
        with self._taking:
            self._taken = [*self._taken, *self._events]
            self._taken_bytes += sum(map(len, self._events))
            self._events.clear()
            return self._settle()

    def _settle(self) -> list[bytes]:
        settled, self._taken = self._taken, []
        self._left_bytes += self._taken_bytes
        self._taken_bytes = 0
        self.left += len(settled)
        return settled

    def _oldest(self, max_events: int, max_bytes: int) -> list[bytes]:
        events, oldest = self._events, list[bytes]()
        # One for all of them, because chance is what compresses worst: with an id of
        # its own in each event a batch is four times as long, and takes twice as long
        # to compress.
        drawn_id = new_id()
        # Events are added at the other end meanwhile; what is first stays first.
        for number in range(min(max_events, len(events))):
            event = stamped(events[0], f"{drawn_id}.{number}")
            max_bytes -= len(event) + 1
            if oldest and max_bytes < 0:
                break
            oldest.append(event)
            self._taken_bytes += len(events.popleft())
        return oldest
