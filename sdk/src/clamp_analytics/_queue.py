"""What background delivery asks of the place where events wait."""

from __future__ import annotations

from typing import Protocol


class Queue(Protocol):
    """Where events wait.

    `put` and `forked` are called one at a time; `take` and `settle` only by the
    thread that sends, at the same time as `put`.
    """

    @property
    def entered(self) -> int:
        """Events that ever came in: put here, or taken over from the dead."""
        ...

    @property
    def left(self) -> int:
        """Events that ever left: settled, unreadable, or lost by `close`."""
        ...

    def put(self, event: bytes) -> int:
        """Add an event and return how many wait, or raise a `QueueFullError`."""
        ...

    def take(self, max_events: int, max_bytes: int) -> list[bytes]:
        """Return the oldest events; the same ones again until `settle`."""
        ...

    def settle(self) -> None:
        """Forget the events of the last `take`."""
        ...

    def recount(self) -> None:
        """Mend the counts where `take` gave nothing and no `put` is under way.

        Python 3.9 lets a signal's handler raise between any two steps, so that an
        event may be counted and never come in, or the other way round.
        """
        ...

    def forked(self) -> None:
        """Begin empty in a forked child: what waits is the parent's."""
        ...

    def close(self) -> list[bytes]:
        """Let go, and return the events that are lost by it."""
        ...
