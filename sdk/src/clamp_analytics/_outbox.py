"""Events that wait on disk, in a directory that processes share.

Each process appends to files of its own, so that writers never meet, and takes
over those of processes that are gone: see `_segment`, and docs/reasons/outbox.md.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock

from clamp_analytics._file_lock import lock
from clamp_analytics._segment import (
    LINE_OVERHEAD_BYTES,
    Run,
    Segment,
    decode_run,
    encode_line,
    encode_time,
)
from clamp_analytics._waiting import new_id, stamped
from clamp_analytics.errors import ClampError, QueueFullError

# Called with the reason, the error, and what was found. What is corrupt is no JSON.
Dropped = Callable[[str, Exception, Sequence[bytes]], None]

# The server knows an event that it has stored by its id, for 7 days. One that is
# sent again after that would count twice.
MAX_AGE_S = 6 * 24 * 3600.0
# Each is an open file, of which a process may have 1,024 or, on macOS, 256.
MAX_CLAIMED_FILES = 64


class Outbox:
    """First in, first out, over all files that this process owns.

    Nothing is written before the first `put`. Only `put` ever raises.

    Args:
        path: A directory; made, for this user alone, where it is missing.
        project_id: Files of other projects are left alone.
        max_bytes: What may wait; beyond, new events are refused.
        dropped: Called by the constructor, too, and by `take`.
        clock: The unix time in seconds.

    Attributes:
        left: Events that are done with.

    Raises:
        ClampError: If nothing can be written at `path`.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        project_id: str,
        max_bytes: int,
        dropped: Dropped,
        clock: Callable[[], float] = time.time,
    ) -> None:
        # Absolute: a process may change its directory before the first event.
        self._directory = Path(path).absolute()
        self._project_id = project_id
        self._max_bytes = max_bytes
        self._dropped = dropped
        self._clock = clock
        self._named: set[Path] = set()
        _try_directory(self._directory)
        self._begin()
        self._take_over()
        self._report()

    def _begin(self) -> None:
        # Oldest first. `put` adds to its end, the sender does everything else.
        self._segments: deque[Segment] = deque()
        self._active: Segment | None = None
        self._taken: Run | None = None
        self._reports: list[tuple[str, Exception, Sequence[bytes]]] = []
        self._is_closed = False
        # Of the sender and `close`. `put` takes none: a signal's handler that
        # raises at the wrong moment would leave it locked.
        self._reading = Lock()
        # Sums that only grow, each changed by one thread.
        self._put = self._put_bytes = 0
        self._claimed = self._claimed_bytes = 0
        self.left = self._left_bytes = 0

    @property
    def entered(self) -> int:
        """Events that ever came in, those of processes that are gone included."""
        return self._put + self._claimed

    @property
    def _waiting_bytes(self) -> int:
        return self._put_bytes + self._claimed_bytes - self._left_bytes

    def put(self, event: bytes) -> int:
        """Add an event and return how many wait: a `kill -9` loses none of them.

        A signal's handler may call it in the middle of a call.

        Raises:
            QueueFullError: There is no room, or the file cannot be written; the
                next one may fit.
        """
        at = encode_time(self._clock())
        line = encode_line(stamped(event, new_id()), at)
        waiting_bytes = self._waiting_bytes
        if waiting_bytes + len(line) > self._max_bytes:
            raise QueueFullError(
                "outbox_full",
                f"{waiting_bytes} bytes of events wait in {self._directory},"
                " which is all that BackgroundDelivery(outbox_max_bytes=) allows;"
                " is the server reachable?",
            )
        try:
            self._append(self._writable(at), line)
        except OSError as error:
            raise QueueFullError(
                "outbox_unwritable",
                f"cannot write to the outbox {self._directory}: {error.strerror};"
                " is the disk full?",
            ) from error
        return self.entered - self.left

    def _append(self, segment: Segment, line: bytes) -> None:
        size_bytes, end = len(line), segment.end
        # Counted before it is in: `recount` finds what is counted and never came in.
        self._put += 1
        self._put_bytes += size_bytes
        try:
            segment.append(line)
        except BaseException:
            # A signal's handler may also have raised just behind it.
            is_out = segment.end == end
            self._put -= is_out
            self._put_bytes -= size_bytes * is_out
            raise

    def _writable(self, at: bytes) -> Segment:
        active = self._active
        if active is not None and not active.is_full:
            return active
        # By their names, the oldest file is the first.
        name = f"{at.decode()}-{os.getpid()}-{os.urandom(4).hex()}.events"
        created = Segment.create(self._directory / name, self._project_id)
        if active is not None:
            active.retire()
        # In this order: the sender deletes a settled file that is not the active.
        self._active = created
        self._segments.append(created)
        return created

    def take(self, max_events: int, max_bytes: int) -> list[bytes]:
        """Return the oldest events; the same ones again until `settle`.

        They come from one file, so that there may be more though this returns
        fewer than it might.

        Args:
            max_bytes: Counts one byte more for each event; the first always fits.
        """
        while True:
            with self._reading:
                if self._taken is None:
                    self._taken = self._next_run(max_events, max_bytes)
                run = self._taken
                if run is not None and run.reason is not None:
                    self._reports.append((run.reason, self._why(run), run.events))
                    self._settle()
            # Without the lock: what is called may close the outbox.
            self._report()
            if run is None:
                return []
            if run.reason is None:
                return run.events

    def settle(self) -> None:
        """Be done with the events of the last `take`."""
        with self._reading:
            self._settle()

    def recount(self) -> None:
        """Mend the counts where a signal's handler broke off a `put`."""
        with self._reading:
            is_empty = all(each.settled == each.end for each in self._segments)
            # What a closed one has left waits for the next process.
            if is_empty and not self._is_closed:
                self._put = self.left - self._claimed
                self._put_bytes = self._left_bytes - self._claimed_bytes

    def forked(self) -> None:
        """Begin empty, in a forked child: what waits is the parent's."""
        for segment in self._segments:
            segment.close()
        self._begin()

    def close(self) -> list[bytes]:
        """Leave what waits to the next process; nothing is lost, so [] it is."""
        with self._reading:
            for segment in self._segments:
                if segment.settled == segment.end:
                    segment.delete()
                else:
                    segment.close()
            self._segments.clear()
            self._active = self._taken = None
            self._is_closed = True
        return []

    def _settle(self) -> None:
        run, self._taken = self._taken, None
        if run is None:
            return
        self._segments[0].settle(len(run.events), run.size_bytes)
        self._count_left(len(run.events), run.size_bytes)

    def _count_left(self, events: int, size_bytes: int) -> None:
        self.left += events
        self._left_bytes += size_bytes

    def _next_run(self, max_events: int, max_bytes: int) -> Run | None:
        oldest = encode_time(self._clock() - MAX_AGE_S)
        read_bytes = max_bytes + max_events * LINE_OVERHEAD_BYTES
        while (segment := self._first_waiting()) is not None:
            try:
                chunk = segment.read(read_bytes)
            except OSError as error:
                if not self._give_up(segment, error):
                    return None
            else:
                return decode_run(chunk, max_events, max_bytes, oldest)
        return None

    def _first_waiting(self) -> Segment | None:
        while not self._is_closed and (self._segments or self._take_over()):
            first = self._segments[0]
            # Asked before its end is: no line is added to one that is not active.
            is_active = first is self._active
            if first.settled != first.end:
                return first
            if not is_active:
                self._segments.popleft()
                first.delete()
            elif not self._take_over():
                break
        return None

    def _give_up(self, segment: Segment, error: OSError) -> bool:
        # `put` may be writing to it: the next one begins another, and then it can go.
        segment.is_full = True
        if segment is self._active:
            return False
        self._segments.popleft()
        unread = segment.entered - segment.left
        self._count_left(unread, segment.end - segment.settled)
        segment.close()
        self._set_aside(segment.path, error)
        return True

    def _take_over(self) -> bool:
        claimed = 0
        for path in self._paths():
            if claimed == MAX_CLAIMED_FILES or self._waiting_bytes >= self._max_bytes:
                break
            segment = self._claim(path)
            if segment is not None:
                # Each at once: a fork closes what it finds in here.
                self._segments.insert(claimed, segment)
                claimed += 1
                self._claimed += segment.entered
                self._claimed_bytes += segment.end - segment.settled
        return claimed > 0

    def _paths(self) -> list[Path]:
        try:
            paths = list(self._directory.iterdir())
        except OSError:
            return []
        return sorted(path for path in paths if path.suffix == ".events")

    def _claim(self, path: Path) -> Segment | None:
        try:
            return Segment.claim(path, self._project_id)
        except FileNotFoundError:
            # Whoever had it has just settled and deleted it.
            return None
        except (ValueError, IsADirectoryError) as error:
            self._set_aside(path, error)
        except OSError as error:
            # Too many open files, another user's file: it stays, for later.
            self._name_file(path, error)
        return None

    def _set_aside(self, path: Path, error: Exception) -> None:
        with suppress(OSError):
            path.rename(path.with_suffix(".broken"))
        self._name_file(path, error)

    def _name_file(self, path: Path, error: Exception) -> None:
        if path not in self._named:
            self._named.add(path)
            why = ClampError(f"cannot read {path} of the outbox: {error}")
            why.__cause__ = error
            self._reports.append(("outbox_corrupt", why, []))

    def _why(self, run: Run) -> ClampError:
        path = self._segments[0].path
        if run.reason == "too_old":
            return ClampError(f"events in {path} waited for over {MAX_AGE_S:.0f} s")
        return ClampError(f"lines in {path} are torn, or do not match their checksums")

    def _report(self) -> None:
        reports, self._reports = self._reports, []
        for reason, why, events in reports:
            self._dropped(reason, why, events)


def _try_directory(directory: Path) -> None:
    probe = directory / f"{os.urandom(8).hex()}.probe"
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(probe, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            lock(descriptor)
        finally:
            os.close(descriptor)
            probe.unlink()
    except OSError as error:
        raise ClampError(
            f"the outbox {directory} cannot be used: {error.strerror}; give the path"
            " of a directory on this machine's disk that this process may write to"
        ) from error
