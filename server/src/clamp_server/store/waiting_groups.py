"""Groups that are durable in the journal and not yet in the table.

    added -> next, until it is taken -> under way, until it is in the table

Those under way are the first of all, in the order in which they were taken.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from itertools import accumulate
from threading import Condition

from clamp_server.store.id_filter import EventId
from clamp_server.store.journal import Group

# What waits is loaded after this time or at this size, whichever is first. The
# longer, the more events share the fixed price of a load; whoever asks for
# events does not wait for it.
LOAD_AFTER_S = 0.5
LOAD_AT_BYTES = 4 * 1024 * 1024


class WaitingGroups:
    """The groups in order; several threads may use it at once.

    Args:
        monotonic_s: Seconds of a clock that nobody sets.
    """

    def __init__(self, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self._monotonic_s = monotonic_s
        self._changed = Condition()
        # Each with its size in bytes and the instant of its coming.
        self._groups: list[tuple[Group, int, float]] = []
        self._ids: set[EventId] = set()
        # How many of the first groups are under way, and the size of the others.
        self._under_way = 0
        self._next_bytes = 0
        self._is_closed = False
        self.size_bytes = 0

    def __bool__(self) -> bool:
        return bool(self._groups)

    def add(self, group: Group, size_bytes: int) -> None:
        """Put a group behind the others."""
        with self._changed:
            self._groups.append((group, size_bytes, self._monotonic_s()))
            self._ids |= group.ids()
            self.size_bytes += size_bytes
            is_first = not self._next_bytes
            self._next_bytes += size_bytes
            # Those in between change nothing for who sleeps, and waking it takes as
            # long as all this.
            if is_first or self._next_bytes >= LOAD_AT_BYTES:
                self._changed.notify_all()

    def starts_by(self, seq: int) -> bool:
        """Return whether a group waits whose first `seq` is not above `seq`."""
        with self._changed:
            return bool(self._groups) and self._groups[0][0].first_seq <= seq

    def last_seq(self) -> int:
        """Return the `seq` of the newest event that waits; 0 when none does."""
        with self._changed:
            return self._groups[-1][0].seqs[-1] if self._groups else 0

    def take(self, *, only_due: bool) -> list[Group]:
        """Return the groups of the next load, which are under way from now on.

        Args:
            only_due: Return none before their time.
        """
        with self._changed:
            if only_due and self._due_in_s() != 0:
                return []
            following = self._groups[self._under_way :]
            sizes = accumulate(size_bytes for _, size_bytes, _ in following)
            count = max(1, sum(size_bytes <= LOAD_AT_BYTES for size_bytes in sizes))
            taken = following[:count]
            self._under_way += len(taken)
            self._next_bytes -= sum(size_bytes for _, size_bytes, _ in taken)
            return [group for group, _, _ in taken]

    def give_back(self) -> None:
        """Let all that is under way wait again: a load has failed."""
        with self._changed:
            self._under_way = 0
            self._next_bytes = self.size_bytes
            self._changed.notify_all()

    def begins_with(self, groups: Sequence[Group]) -> bool:
        """Return whether these are the first under way: no load before has failed."""
        with self._changed:
            return self._under_way >= len(groups) and self._groups[0][0] is groups[0]

    def ids(self, ids: set[EventId]) -> set[EventId]:
        """Return those of `ids` that an event has which waits."""
        with self._changed:
            return ids & self._ids

    def remove_first(self, count: int) -> None:
        """Take out the first groups, which were under way and are in the table now."""
        with self._changed:
            for group, size_bytes, _ in self._groups[:count]:
                self._ids -= group.ids()
                self.size_bytes -= size_bytes
            del self._groups[:count]
            self._under_way -= count

    def close(self) -> None:
        """End `until_due` and `pause`."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def until_due(self) -> bool:
        """Sleep until a load is due; return False when closed."""
        with self._changed:
            while not self._is_closed and (due_in_s := self._due_in_s()) != 0:
                self._changed.wait(due_in_s)
            return not self._is_closed

    def pause(self, time_s: float) -> None:
        """Sleep, but not beyond the close."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_closed, time_s)

    def _due_in_s(self) -> float | None:
        # None: nothing waits that is not under way.
        if self._next_bytes >= LOAD_AT_BYTES:
            return 0.0
        if self._under_way == len(self._groups):
            return None
        came_at_s = self._groups[self._under_way][2]
        return max(0.0, came_at_s + LOAD_AFTER_S - self._monotonic_s())
