"""Which ids may have been stored before, in little memory.

Every id leaves a mark of 32 bits in a table, at a place that other bits of its
hash choose. Without the mark the id was certainly never seen; with it, it was,
or one other id in some billions looks the same: the caller asks the store. That
takes 8 bytes an id, where a set of Python takes over 100, and 1.7 us.
"""

from __future__ import annotations

from array import array
from collections.abc import Collection, Sequence
from hashlib import blake2b
from typing import TypeAlias

from clamp_server.model.ids import ProjectId

# What makes two events one: the client's id within its project.
EventId: TypeAlias = tuple[ProjectId, str]

# A page is full when every other slot is, so that a mark is found after two
# looks. One of this size takes 2 MiB, and holds as many ids as a start can read
# again in half a second.
PAGE_SLOTS = 1 << 19


class IdPage:
    """The marks of ids that came one after another.

    Args:
        marks: A power of two of slots, 32 bits each; 0 is an empty one.

    Attributes:
        last_seq: Not below the `seq` of any event whose id is in here.
        ids: How many were put in since this page was made.
    """

    def __init__(self, marks: bytes, last_seq: int = 0) -> None:
        self._marks = array("I", marks)
        self._last_slot = len(self._marks) - 1
        self.last_seq = last_seq
        self.ids = 0

    @property
    def marks(self) -> bytes:
        """The table as it is saved, in this machine's byte order."""
        return self._marks.tobytes()

    def has_room(self, count: int) -> bool:
        """Return whether every other slot stays empty with `count` ids more."""
        return (self.ids + count) * 2 <= len(self._marks)

    def has(self, number: int, mark: int) -> bool:
        """Return whether an id was put in, by its place and its mark."""
        return self._marks[self._slot(number, mark)] != 0

    def put(self, number: int, mark: int) -> bool:
        """Put an id in; return whether it was there."""
        slot = self._slot(number, mark)
        if self._marks[slot]:
            return True
        self._marks[slot] = mark
        self.ids += 1
        return False

    def _slot(self, number: int, mark: int) -> int:
        # Where the mark is, or else the empty slot where it goes.
        marks, slot = self._marks, number & self._last_slot
        while marks[slot] and marks[slot] != mark:
            slot = slot + 1 & self._last_slot
        return slot


class IdFilter:
    """The ids of the last days, as a row of pages of which the last is filled.

    Args:
        full_pages: What an earlier process has saved, oldest first.
        page_slots: Of the pages to come; a power of two. One grows where a
            single call needs more.
    """

    def __init__(
        self, full_pages: Sequence[IdPage], page_slots: int = PAGE_SLOTS
    ) -> None:
        self._full = list(full_pages)
        self._page_slots = page_slots
        self._page = self._empty_page(0)

    @property
    def full_pages(self) -> list[IdPage]:
        """The pages that no longer change, oldest first."""
        return list(self._full)

    def add(self, ids: Collection[EventId], seq: int) -> set[EventId]:
        """Note ids; return those of them that may have been noted before.

        Args:
            seq: Not below that of any of their events, and below all later ones.
        """
        # Never in the middle of a call: a saved page then holds whole calls,
        # and what came after it is told by `seq` alone.
        if not self._page.has_room(len(ids)):
            self._full.append(self._page)
            self._page = self._empty_page(len(ids))
        self._page.last_seq = seq
        return {one for one in ids if self._note(one)}

    def forget(self, before_seq: int) -> None:
        """Drop the pages whose every id is older than `before_seq`."""
        if self._full and self._full[0].last_seq < before_seq:
            self._full = [page for page in self._full if page.last_seq >= before_seq]

    def _note(self, one: EventId) -> bool:
        key = "\0".join(one).encode()
        number = int.from_bytes(blake2b(key, digest_size=8).digest(), "little")
        # An empty slot is 0, so no mark is.
        mark = number >> 32 or 1
        # On the newest page in any case, which is forgotten last.
        was_there = self._page.put(number, mark)
        for page in self._full:
            was_there = was_there or page.has(number, mark)
        return was_there

    def _empty_page(self, count: int) -> IdPage:
        slots = max(self._page_slots, 1 << (2 * count - 1).bit_length())
        return IdPage(bytes(4 * slots))
