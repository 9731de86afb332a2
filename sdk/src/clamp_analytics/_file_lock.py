"""The system's exclusive lock on an open file.

It is given back when the last descriptor that came from the same `open` is closed,
so also when the process ends, however it does. Never unlock: in a forked child
that would free the parent's lock, closing the copy does not.
"""

from __future__ import annotations

import sys

if sys.platform == "win32":  # pragma: no cover
    import msvcrt
    import os

    # Windows lets nobody else touch the bytes that are locked; these a file of
    # an outbox never reaches, and a 32-bit offset still does.
    _BEYOND_THE_END = 0x7FFF0000

    def lock(descriptor: int) -> None:
        """Lock the file, or raise: see below."""
        os.lseek(descriptor, _BEYOND_THE_END, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError as error:
            raise BlockingIOError(error.errno, "the file is locked") from error

else:
    import fcntl

    def lock(descriptor: int) -> None:
        """Lock the file for as long as `descriptor` is open; moves its position.

        Raises:
            BlockingIOError: Somebody has it, this process under another
                descriptor included.
            OSError: This file system has no locks.
        """
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
