"""The live stream: one poll a project, shared by everybody who looks at it.

Each event is asked for and made to HTML once, off the event loop. A viewer holds
a place in the project's latest events and nothing else. So a slow one costs no
memory: it misses events, and is told so.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from starlette.concurrency import run_in_threadpool

from clamp_server.errors import StoreUnavailableError
from clamp_server.model.ids import ProjectId
from clamp_server.model.project import Project
from clamp_server.questions import live
from clamp_server.questions.live import SeenEvent, Since
from clamp_server.store.sql import EventStore
from clamp_server.web.event_view import event_view
from clamp_server.web.template import render

# More than a screen holds; a burst of thousands a second is cut to this.
MOST_EVENTS = 50
# A viewer is a connection and a few kilobytes; this bounds the connections.
MOST_VIEWERS = 200

_LINE_END = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How often things happen, in seconds.

    Attributes:
        poll_s: Between two looks for new events.
        heartbeat_s: Without events; proxies cut a connection that is silent for
            a minute, and a dead one is noticed only by writing to it.
        longest_s: Then the stream ends and the browser asks anew, so that no
            stream outlives what a proxy or a sleeping machine did to it.
    """

    poll_s: float = 1.0
    heartbeat_s: float = 15.0
    longest_s: float = 15 * 60.0


@dataclass(frozen=True, slots=True)
class Line:
    """One event as HTML, in the form of server-sent events."""

    seq: int
    data: str


@dataclass(frozen=True, slots=True)
class Arrivals:
    """What a viewer has not seen yet, newest first.

    Attributes:
        has_gap: Whether there were more than are kept, older than these.
    """

    lines: Sequence[Line]
    has_gap: bool


def encode_data(html: str) -> str:
    """Write HTML as the data of a server-sent event.

    A carriage return in somebody's property would end the line as well, and what
    follows it would be read as a field of the stream.
    """
    return "\n".join(f"data: {line}" for line in _LINE_END.split(html.strip()))


class Live:
    """The projects that are being looked at; used on one event loop."""

    def __init__(self, store: EventStore, pace: Pace | None = None) -> None:
        self._store = store
        self._pace = pace or Pace()
        self._channels: dict[ProjectId, _Channel] = {}
        self._is_closed = False

    def __len__(self) -> int:
        """How many are looking, at all projects together."""
        return sum(channel.viewers for channel in self._channels.values())

    @property
    def is_full(self) -> bool:
        """Whether another viewer would be one too many."""
        return len(self) >= MOST_VIEWERS

    def close(self) -> None:
        """End every stream, for good; an open one would hold up a shutdown."""
        self._is_closed = True
        for channel in self._channels.values():
            channel.wake()

    async def arrivals(
        self, project: Project, after: int
    ) -> AsyncGenerator[Arrivals | None]:
        """Yield what arrives after the event `after`; None is a heartbeat."""
        channel = self._channels.get(project.id)
        if channel is None or channel.has_ended:
            channel = _Channel(self._store, project, self._pace.poll_s)
            self._channels[project.id] = channel
        ends_at_s = asyncio.get_running_loop().time() + self._pace.longest_s
        channel.viewers += 1
        try:
            while not self._is_closed and not channel.has_ended:
                if asyncio.get_running_loop().time() >= ends_at_s:
                    return
                if arrivals := channel.after(after):
                    after = arrivals.lines[0].seq
                    yield arrivals
                elif not await channel.news(self._pace.heartbeat_s):
                    yield None
        finally:
            channel.viewers -= 1
            if channel.viewers == 0:
                channel.end()
                if self._channels.get(project.id) is channel:
                    del self._channels[project.id]


class _Channel:
    """One project's latest events, kept fresh as long as somebody looks."""

    def __init__(self, store: EventStore, project: Project, poll_s: float) -> None:
        self.viewers = 0
        self._store = store
        self._project = project
        self._poll_s = poll_s
        self._latest: list[Line] = []
        # Every event that was stored after this one is in `_latest`.
        self._complete_after = 0
        self._news = asyncio.Event()
        self._task = asyncio.create_task(self._poll())
        # A poll that died takes its viewers with it: they come back to a new one.
        self._task.add_done_callback(lambda _: self.wake())

    @property
    def has_ended(self) -> bool:
        return self._task.done()

    def end(self) -> None:
        self._task.cancel()

    def wake(self) -> None:
        woken, self._news = self._news, asyncio.Event()
        woken.set()

    async def news(self, longest_s: float) -> bool:
        """Wait until something happened; False when nothing did for that long."""
        try:
            await asyncio.wait_for(self._news.wait(), longest_s)
        except TimeoutError:
            return False
        return True

    def after(self, seq: int) -> Arrivals | None:
        unseen = [line for line in self._latest if line.seq > seq]
        return Arrivals(unseen, seq < self._complete_after) if unseen else None

    async def _poll(self) -> None:
        while True:
            try:
                arrived = await run_in_threadpool(self._arrived)
            except StoreUnavailableError:
                # The disk is full or the database away: the next look may work.
                arrived = []
            if arrived:
                self._keep(arrived)
                self.wake()
            await asyncio.sleep(self._poll_s)

    def _arrived(self) -> list[Line]:
        newest = self._latest[0].seq if self._latest else 0
        # One more than is kept, to know whether any are left out.
        since = Since(project_id=self._project.id, after=newest, limit=MOST_EVENTS + 1)
        zone = ZoneInfo(self._project.time_zone)
        return [_line(event, zone) for event in live.events.ask(self._store, since)]

    def _keep(self, arrived: list[Line]) -> None:
        latest = arrived + self._latest
        if len(latest) > MOST_EVENTS:
            self._complete_after = latest[MOST_EVENTS].seq
        self._latest = latest[:MOST_EVENTS]


def _line(event: SeenEvent, zone: ZoneInfo) -> Line:
    html = render("events.html", events=[event_view(event, zone)])
    return Line(event.seq, encode_data(html))
