"""One file of an outbox: a header, then a line for each event.

    clamp-outbox 1 000000000042 "proj_a1b2c3"
    8f3a91c2 1773144000123 {"id":"...","name":"signup"}

The header has the format, the offset up to which events are settled, and the
project; a later format keeps these at their places. A line has the CRC-32 of what
follows it, the unix time in milliseconds when the event came in, and the event.
Who holds the system's lock on a file owns it, and nobody else changes it.
"""

from __future__ import annotations

import json
import os
import re
import zlib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from clamp_analytics._file_lock import lock

# An owner begins another file beyond this, and deletes those that are settled: the
# room on disk comes back in pieces of this size.
SEGMENT_BYTES = 8 * 1024 * 1024

Reason = Literal["outbox_corrupt", "too_old"]

_FORMAT = b"1"
_HEADER = re.compile(rb'clamp-outbox (\d+) (\d{12}) ("[^\n]*")\n')
_SETTLED_OFFSET = len(b"clamp-outbox 1 ")
_MAX_HEADER_BYTES = 4096
_COUNTED_BYTES = 1024 * 1024
# What a line has besides the event: checksum, time, two spaces; and the newline.
LINE_OVERHEAD_BYTES = 8 + 1 + 13 + 1

# Python makes no descriptor inheritable; Windows translates newlines unless told.
_READ_WRITE = os.O_RDWR | getattr(os, "O_BINARY", 0)
_CLOSED = -1


@dataclass(frozen=True)
class Run:
    """Lines that follow one another and share their fate.

    Attributes:
        reason: Why they cannot be sent; None if they can.
        events: What to send; of corrupt lines what is there.
        size_bytes: What they take in the file.
    """

    reason: Reason | None
    events: list[bytes]
    size_bytes: int


def encode_time(unix_s: float) -> bytes:
    """Write a time so that the earlier one is also the lesser text.

    >>> encode_time(1773144000.1234)
    b'1773144000123'
    """
    return b"%013d" % max(0, int(unix_s * 1000))


def encode_line(event: bytes, at: bytes) -> bytes:
    """Write the line of an event that came in `at` that time."""
    record = b"%b %b" % (at, event)
    return b"%08x %b\n" % (zlib.crc32(record), record)


def decode_run(chunk: bytes, max_events: int, max_bytes: int, oldest: bytes) -> Run:
    """Read the first lines of `chunk`, up to one of another kind.

    Args:
        chunk: Begins with a whole line, or is the torn end of a file.
        max_bytes: Of the events, with one byte more for each; one always fits.
        oldest: An event that came in before this time is too old.
    """
    *lines, torn = chunk.split(b"\n", max_events)
    if not lines:
        return Run("outbox_corrupt", [torn], len(torn))
    common, events, size_bytes = None, list[bytes](), 0
    for line in lines:
        reason, event = _decode_line(line, oldest)
        max_bytes -= len(event) + 1
        if events and (reason != common or max_bytes < 0):
            break
        common = reason
        events.append(event)
        size_bytes += len(line) + 1
    return Run(common, events, size_bytes)


def _decode_line(line: bytes, oldest: bytes) -> tuple[Reason | None, bytes]:
    if line[:8] != b"%08x" % zlib.crc32(line[9:]):
        return "outbox_corrupt", line
    # Times have one width, so that their order is that of their digits.
    return "too_old" if line[9:22] < oldest else None, line[23:]


class Segment:
    """A file that this process owns.

    One thread may append while another one reads and settles.

    Attributes:
        path: Where it is.
        end: Offset behind the last whole line.
        settled: Offset of the first line that is not done with.
        entered: Lines that ever came in; of a file that was claimed, those that
            were not done with then.
        left: Lines that are done with, of these.
        is_full: Nothing more should be appended.
    """

    def __init__(self, path: Path, file: int, settled: int, end: int) -> None:
        self.path = path
        self.settled = settled
        self.end = end
        self.entered = 0
        self.left = 0
        self.is_full = False
        # Reads and settles, at a position of its own, and holds the lock.
        self._file = file
        self._appending = _CLOSED

    @classmethod
    def create(cls, path: Path, project_id: str) -> Segment:
        """Make a file to append to.

        Raises:
            OSError: There is no room, or no permission.
        """
        file = os.open(path, _READ_WRITE | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            # Locked while it is empty, which is when others leave it alone.
            lock(file)
            header = _encode_header(project_id)
            os.lseek(file, 0, os.SEEK_SET)
            _write(file, header)
            segment = cls(path, file, len(header), len(header))
            segment._appending = os.open(path, _READ_WRITE | os.O_APPEND)
        except BaseException:
            os.close(file)
            with suppress(OSError):
                path.unlink()
            raise
        return segment

    @classmethod
    def claim(cls, path: Path, project_id: str) -> Segment | None:
        """Take over the file of a process that is gone.

        Returns:
            None if its process lives, or it is another project's or a later
            release's.

        Raises:
            ValueError: It is not a file of an outbox.
            OSError: It cannot be read.
        """
        file = os.open(path, _READ_WRITE)
        segment = None
        try:
            # Looked at before it is locked: a lock taken for a moment would keep
            # those out whose file it is.
            if _settled(file, project_id) is not None:
                lock(file)
                # Once more: who owned it until now may have settled meanwhile.
                segment = cls._owned(path, file, _settled(file, project_id) or 0)
        except BlockingIOError:
            pass
        finally:
            if segment is None:
                os.close(file)
        return segment

    @classmethod
    def _owned(cls, path: Path, file: int, settled: int) -> Segment:
        end = os.fstat(file).st_size
        segment = cls(path, file, min(settled, end), end)
        segment.entered = _count_lines(file, segment.settled)
        return segment

    def append(self, line: bytes) -> None:
        """Add a line, whole or not at all.

        Raises:
            OSError: It did not fit. The next one may.
        """
        try:
            _write(self._appending, line)
            # Asked and not added up: a signal's handler may put an event of its own
            # in the middle of an addition, which would lose one of the two.
            self.end = os.lseek(self._appending, 0, os.SEEK_CUR)
        except BaseException:
            # Also when a signal's handler raises in here: a line that follows a
            # torn one would be lost with it.
            self._cut()
            raise
        self.entered += 1
        if self.end >= SEGMENT_BYTES:
            self.is_full = True

    def _cut(self) -> None:
        try:
            os.ftruncate(self._appending, self.end)
        except OSError:
            self.is_full = True

    def read(self, max_bytes: int) -> bytes:
        """Read what is not settled: a whole line at least, or all there is.

        Raises:
            OSError: It cannot be read, or somebody has cut the file.
        """
        waiting_bytes = max(0, self.end - self.settled)
        chunk = self._read(min(max_bytes, waiting_bytes))
        if b"\n" not in chunk:
            chunk = self._read(waiting_bytes)
        if not chunk:
            raise OSError("the file is shorter than it was")
        return chunk

    def _read(self, size_bytes: int) -> bytes:
        os.lseek(self._file, self.settled, os.SEEK_SET)
        return os.read(self._file, size_bytes)

    def settle(self, events: int, size_bytes: int) -> None:
        """Be done with the first lines that are left; they never come back."""
        self.settled += size_bytes
        self.left += events
        # Those who take the file over would send them again, and the server
        # knows them by their ids: no reason to fail here.
        with suppress(OSError):
            os.lseek(self._file, _SETTLED_OFFSET, os.SEEK_SET)
            os.write(self._file, b"%012d" % self.settled)

    def retire(self) -> None:
        """Append no more."""
        appending, self._appending = self._appending, _CLOSED
        if appending != _CLOSED:
            os.close(appending)

    def close(self) -> None:
        """Give the file back. In a forked child: drop the copies of the parent's."""
        self.retire()
        os.close(self._file)

    def delete(self) -> None:
        """Close it and delete it, in this order: Windows knows no other."""
        self.close()
        with suppress(OSError):
            self.path.unlink()


def _encode_header(project_id: str) -> bytes:
    project = json.dumps(project_id).encode()
    # As many digits as the offset that is written over them.
    length = _SETTLED_OFFSET + 12 + 1 + len(project) + 1
    return b"clamp-outbox %b %012d %b\n" % (_FORMAT, length, project)


def _settled(file: int, project_id: str) -> int | None:
    os.lseek(file, 0, os.SEEK_SET)
    header = os.read(file, _MAX_HEADER_BYTES)
    # One that a process is making this instant, or that it died over.
    if not header:
        return None
    match = _HEADER.match(header)
    if match is None:
        raise ValueError("it does not begin like a file of an outbox")
    written_format, settled, project = match.groups()
    if written_format != _FORMAT or project != json.dumps(project_id).encode():
        return None
    return max(int(settled), match.end())


def _count_lines(file: int, start: int) -> int:
    os.lseek(file, start, os.SEEK_SET)
    lines, last = 0, b"\n"
    while chunk := os.read(file, _COUNTED_BYTES):
        lines += chunk.count(b"\n")
        last = chunk[-1:]
    # What is torn counts as one.
    return lines + (last != b"\n")


def _write(file: int, data: bytes) -> None:
    # A full disk takes a part, and says why only when the rest is written.
    while data:
        data = data[os.write(file, data) :]
