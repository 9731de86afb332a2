"""Groups that are durable in the journal and not yet in the table."""

from __future__ import annotations

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
    """The groups in order; several threads may use it at once."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._groups: list[tuple[Group, int]] = []
        self._ids: set[EventId] = set()
        self._is_closed = False
        self.size_bytes = 0

    def __bool__(self) -> bool:
        return bool(self._groups)

    def add(self, group: Group, size_bytes: int) -> None:
        """Put a group behind the others."""
        with self._changed:
            self._groups.append((group, size_bytes))
            self._ids |= group.ids()
            self.size_bytes += size_bytes
            self._changed.notify_all()

    def starts_by(self, seq: int) -> bool:
        """Return whether a group waits whose first `seq` is not above `seq`."""
        with self._changed:
            return bool(self._groups) and self._groups[0][0].first_seq <= seq

    def last_seq(self) -> int:
        """Return the `seq` of the newest event that waits; 0 when none does."""
        with self._changed:
            return self._groups[-1][0].seqs[-1] if self._groups else 0

    def next_load(self) -> list[Group]:
        """Return the groups of the next load, first one first."""
        with self._changed:
            sizes = accumulate(size_bytes for _, size_bytes in self._groups)
            count = sum(size_bytes <= LOAD_AT_BYTES for size_bytes in sizes)
            return [group for group, _ in self._groups[: max(1, count)]]

    def ids(self, ids: set[EventId]) -> set[EventId]:
        """Return those of `ids` that an event has which waits."""
        with self._changed:
            return ids & self._ids

    def remove_first(self, count: int) -> None:
        """Take the first groups out, which are in the table now."""
        with self._changed:
            for group, size_bytes in self._groups[:count]:
                self._ids -= group.ids()
                self.size_bytes -= size_bytes
            del self._groups[:count]

    def close(self) -> None:
        """End `until_due` and `pause`."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def until_due(self) -> bool:
        """Sleep until a load is due; return False when closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._groups or self._is_closed)
            self._changed.wait_for(
                lambda: self.size_bytes >= LOAD_AT_BYTES or self._is_closed,
                LOAD_AFTER_S,
            )
            return not self._is_closed

    def pause(self, time_s: float) -> None:
        """Sleep, but not beyond the close."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_closed, time_s)
