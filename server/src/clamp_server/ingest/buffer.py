"""Group commit: one durable transaction for all events that wait at a time.

Requests put their events in and wait. One thread takes everything that came in
meanwhile, commits it, and answers all of those requests at once; so the price
of a durable commit is shared by as many requests as there are, and nobody waits
for a timer. A request asks for room first, before its events are looked at: the
room is bounded in events and in bytes, and a request that finds none is refused
at once. So memory stays flat however slow the disk is, and no time is spent on
what cannot be taken.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TypeAlias

from clamp_server.errors import StoreUnavailableError
from clamp_server.ingest.counts import CommitTimes
from clamp_server.log import Seldom
from clamp_server.model.event import EnrichedEvent
from clamp_server.store.sql import EventStore

# Beyond this many a commit takes longer, and costs an event no less.
MAX_GROUP_EVENTS = 5_000
# Of bodies as they came: 20,000 events of 200 bytes are 4 MB, but as many stacks
# of 16 KB would be 320.
MAX_QUEUED_BYTES = 16 * 1024 * 1024
# Commits take milliseconds; a full queue is gone, or the disk is, in a second.
QUEUE_RETRY_AFTER_S = 1
STORE_RETRY_AFTER_S = 5
# After a failed commit nothing may come in that could prove recovery, when a
# load balancer sends none to a server in trouble: so trouble is forgotten.
TROUBLE_S = 10.0

Stored: TypeAlias = list[bool]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class _Put:
    events: Sequence[EnrichedEvent]
    stored: asyncio.Future[Stored]


class Buffer:
    """Between the event loop's requests and the thread that commits.

    All of it belongs to one event loop, but for the thread's own part.
    """

    def __init__(
        self,
        store: EventStore,
        commits: CommitTimes,
        max_events: int,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._commits = commits
        self._max_events = max_events
        self._monotonic_s = monotonic_s
        self._queue: SimpleQueue[_Put | None] = SimpleQueue()
        self._thread = Thread(target=self._write, name="clamp-writer", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._queued_bytes = 0
        self._failed_at_s: float | None = None
        self._seldom = Seldom(_log)
        self.queued_events = 0

    def start(self) -> None:
        """Begin to take events, on the running event loop."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    def reserve(self, events: int, size_bytes: int) -> None:
        """Take room for a request; `release` gives it back.

        Args:
            size_bytes: Of the request's body.

        Raises:
            StoreUnavailableError: There is none.
        """
        if self._loop is None:
            raise _unavailable("the server is stopping", QUEUE_RETRY_AFTER_S)
        # One request always fits, however small the bound is.
        if self.queued_events and (
            self.queued_events + events > self._max_events
            or self._queued_bytes + size_bytes > MAX_QUEUED_BYTES
        ):
            self._seldom.warning("the queue of events is full")
            raise _unavailable("too many events are waiting", QUEUE_RETRY_AFTER_S)
        self.queued_events += events
        self._queued_bytes += size_bytes

    def release(self, events: int, size_bytes: int) -> None:
        """Give back what a request has reserved."""
        self.queued_events -= events
        self._queued_bytes -= size_bytes

    async def put(self, events: Sequence[EnrichedEvent]) -> Stored:
        """Store events durably; return when they are on disk.

        The caller has reserved room for them.

        Returns:
            One bool an event, in order; False where it was stored before.

        Raises:
            StoreUnavailableError: Nothing of `events` was stored.
        """
        if self._loop is None:
            raise _unavailable("the server is stopping", QUEUE_RETRY_AFTER_S)
        put = _Put(events, self._loop.create_future())
        self._queue.put(put)
        return await put.stored

    def trouble(self) -> str | None:
        """Say why events cannot be taken now; None when they can."""
        if self._loop is None:
            return "the server is starting or stopping"
        if self.queued_events >= self._max_events:
            return "too many events are waiting"
        failed_at_s = self._failed_at_s
        if failed_at_s is not None and self._monotonic_s() - failed_at_s < TROUBLE_S:
            return "the last commit failed"
        return None

    async def close(self) -> None:
        """Refuse new events, commit those that wait, and end the thread."""
        loop, self._loop = self._loop, None
        if loop is not None:
            self._queue.put(None)
            await loop.run_in_executor(None, self._thread.join)

    def _write(self) -> None:
        open_ = True
        while open_:
            group, open_ = self._next_group()
            if group:
                started_s = self._monotonic_s()
                outcomes = self._committed(group)
                took_s = self._monotonic_s() - started_s
                loop = group[0].stored.get_loop()
                loop.call_soon_threadsafe(self._answer, group, outcomes, took_s)

    def _next_group(self) -> tuple[list[_Put], bool]:
        group: list[_Put] = []
        size = 0
        put = self._queue.get()
        while put is not None:
            group.append(put)
            size += len(put.events)
            if size >= MAX_GROUP_EVENTS:
                return group, True
            try:
                put = self._queue.get_nowait()
            except Empty:
                return group, True
        return group, False

    def _committed(self, group: list[_Put]) -> list[Stored | Exception]:
        try:
            stored = self._store.append([e for put in group for e in put.events])
        except StoreUnavailableError as error:
            return [error] * len(group)
        # The writer's own border: whatever the store could not handle, the
        # thread has to live on and every request has to be answered.
        except Exception as error:
            if len(group) == 1:
                return [error]
            # One request's events cannot be stored; its neighbours' can.
            return [outcome for put in group for outcome in self._committed([put])]
        shares = iter(stored)
        return [[next(shares) for _ in put.events] for put in group]

    def _answer(
        self, group: list[_Put], outcomes: list[Stored | Exception], took_s: float
    ) -> None:
        self._commits.add(took_s)
        self._failed_at_s = None
        for put, outcome in zip(group, outcomes, strict=True):
            if isinstance(outcome, StoreUnavailableError):
                self._failed_at_s = self._monotonic_s()
                self._seldom.error("the store refused a commit: %s", outcome)
                outcome = _unavailable("the store cannot take it", STORE_RETRY_AFTER_S)
            if put.stored.done():
                continue
            if isinstance(outcome, Exception):
                put.stored.set_exception(outcome)
            else:
                put.stored.set_result(outcome)


def _unavailable(why: str, retry_after_s: int) -> StoreUnavailableError:
    return StoreUnavailableError(
        f"{why}; nothing of this request was stored, send the same again after the"
        " time in Retry-After",
        retry_after_s=retry_after_s,
    )
