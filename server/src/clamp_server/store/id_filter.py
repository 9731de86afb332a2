"""Which ids may have been stored before, in little memory.

Every id leaves a mark of 32 bits in a table, at a place of another 19 bits of
its hash. Without the mark the id was certainly never seen; with it, it was, or
one other id in some billions looks the same: the caller asks the store. That
takes 8 bytes an id, where a set of Python takes over 100, and 1.3 us.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import TypeAlias

from clamp_server.model.ids import ProjectId

# A page has 2 MiB, whatever is in it, and is full when every other slot is: so
# that a mark is found after two looks. A start has to read the ids of at most
# one page again, in half a second.
PAGE_SLOTS = 1 << 19
PAGE_IDS = PAGE_SLOTS // 2
_LAST_SLOT = PAGE_SLOTS - 1


# What makes two events one: the client's id within its project.
EventId: TypeAlias = tuple[ProjectId, str]


class IdPage:
    """The marks of up to `PAGE_IDS` ids that came one after another.

    Attributes:
        last_seq: Not below the `seq` of any event whose id is in here.
    """

    def __init__(self, marks: bytes | None = None, last_seq: int = 0) -> None:
        self._marks = (
            array("I", [0]) * PAGE_SLOTS if marks is None else array("I", marks)
        )
        self.last_seq = last_seq
        self.ids = 0

    @property
    def marks(self) -> bytes:
        """The table as it is saved, in this machine's byte order."""
        return self._marks.tobytes()

    def has(self, slot: int, mark: int) -> bool:
        """Whether `mark` is in its place, which begins at `slot`."""
        marks = self._marks
        while found := marks[slot]:
            if found == mark:
                return True
            slot = slot + 1 & _LAST_SLOT
        return False

    def put(self, slot: int, mark: int) -> bool:
        """Leave a mark; return whether it was there."""
        marks = self._marks
        while found := marks[slot]:
            if found == mark:
                return True
            slot = slot + 1 & _LAST_SLOT
        marks[slot] = mark
        self.ids += 1
        return False


class IdFilter:
    """The ids of the last days, as a row of pages of which the last is filled.

    Args:
        full_pages: What an earlier process has saved, oldest first.
    """

    def __init__(self, full_pages: Sequence[IdPage]) -> None:
        self._full = list(full_pages)
        self._page = IdPage()

    def add(self, ids: Iterable[EventId], seq: int) -> set[EventId]:
        """Note ids; return those of them that may have been noted before.

        Args:
            seq: Not below that of any of their events, and below all later ones.
        """
        if self._page.ids >= PAGE_IDS:
            self._full.append(self._page)
            self._page = IdPage()
        self._page.last_seq = seq
        return {one for one in ids if self._add(one)}

    def _add(self, event_id: EventId) -> bool:
        key = "\0".join(event_id).encode()
        number = int.from_bytes(blake2b(key, digest_size=8).digest(), "little")
        # An empty slot is 0, so no mark is.
        slot, mark = number & _LAST_SLOT, number >> 32 or 1
        was_there = self._page.put(slot, mark)
        for page in self._full:
            was_there = was_there or page.has(slot, mark)
        return was_there

    @property
    def full_pages(self) -> list[IdPage]:
        """The pages that no longer change, oldest first."""
        return list(self._full)

    def forget(self, before_seq: int) -> None:
        """Drop the pages whose every id is older than `before_seq`."""
        if self._full and self._full[0].last_seq < before_seq:
            self._full = [page for page in self._full if page.last_seq >= before_seq]
