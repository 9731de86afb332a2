"""The visitors' browsers: they send what Clamp's browser script sends.

Outside programs: they know the server by its address alone.
"""

from __future__ import annotations

import json
from collections import defaultdict, deque
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from http import HTTPStatus
from http.client import HTTPConnection
from queue import SimpleQueue
from threading import Event
from types import TracebackType
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from clamp_server.demo.happening import PageRead, Visit, Visitor

WireEvent: TypeAlias = dict[str, Any]

SHOP = "https://shop.example"
TIMEOUT_S = 30.0
# What the server takes in a batch.
BATCH_EVENTS = 100
CONNECTIONS = 4
# A server that has too much to do is asked again, for about a minute.
TRIES = 60
BUSY = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)


def page_events(visit: Visit) -> list[WireEvent]:
    """Write the events of a visit's pages, in order.

    Pages after the first have the one before as their referrer.
    """
    events: list[WireEvent] = []
    query = f"?{visit.source.query}" if visit.source.query else ""
    url, referrer = "", visit.source.referrer
    for page in visit.pages:
        url = f"{SHOP}{page.path}{query}"
        events.extend(_read(visit, page, {"url": url, "referrer": referrer}))
        query, referrer = "", url
    return events


def _read(visit: Visit, page: PageRead, where: WireEvent) -> list[WireEvent]:
    same = where | {
        "anonymousId": visit.visitor.anonymous_id,
        "sessionId": visit.session_id,
        "userId": "",
        "language": visit.visitor.place.language,
        "platform": "web",
    }
    view = same | {"name": "$pageview", "timestamp": _instant(page.at)}
    if page.left_at is None:
        return [view]
    read = {
        "engagement_seconds": str(page.engaged_s),
        "max_scroll_pct": str(page.scroll_pct),
    }
    end = {"name": "$pageview_end", "timestamp": _instant(page.left_at)}
    return [view, same | end | {"properties": read}]


def _instant(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds")


class Browsers:
    """Sends visits in full batches, over several kept connections.

    A request has one address and one browser, so that visitors who share both
    share batches: as those behind one office's door do.
    """

    def __init__(self, endpoint: str, project_id: str) -> None:
        """Take the server's address, such as `http://127.0.0.1:8400`."""
        netloc = urlsplit(endpoint).netloc
        self._idle: SimpleQueue[HTTPConnection] = SimpleQueue()
        for _ in range(CONNECTIONS):
            self._idle.put(HTTPConnection(netloc, timeout=TIMEOUT_S))
        self._project_id = project_id
        self._waiting: defaultdict[tuple[str, str], list[WireEvent]] = defaultdict(list)
        self._pool = ThreadPoolExecutor(CONNECTIONS, "browser")
        self._under_way: deque[Future[None]] = deque()

    def __enter__(self) -> Browsers:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._pool.shutdown(cancel_futures=True)
        for _ in range(CONNECTIONS):
            self._idle.get().close()

    def send(self, visitor: Visitor, events: list[WireEvent]) -> None:
        """Send events of one visitor, now or with the next ones.

        Raises:
            RuntimeError: The server refused some of what was sent before.
        """
        sender = (visitor.device.user_agent, visitor.place.address)
        waiting = self._waiting[sender]
        waiting.extend(events)
        while len(waiting) >= BATCH_EVENTS:
            self._post(sender, waiting[:BATCH_EVENTS])
            del waiting[:BATCH_EVENTS]

    def flush(self) -> None:
        """Send all that waits, and return once the server has it.

        Raises:
            RuntimeError: The server refused some of it.
        """
        for sender, events in self._waiting.items():
            if events:
                self._post(sender, events)
        self._waiting.clear()
        while self._under_way:
            self._under_way.popleft().result()

    def _post(self, sender: tuple[str, str], events: list[WireEvent]) -> None:
        # As many as keep every connection busy; more would only take memory.
        while len(self._under_way) >= 2 * CONNECTIONS:
            self._under_way.popleft().result()
        self._under_way.append(self._pool.submit(self._deliver, sender, events))

    def _deliver(self, sender: tuple[str, str], events: list[WireEvent]) -> None:
        body = json.dumps({"p": self._project_id, "events": events}).encode()
        # There are as many as the pool has threads.
        connection = self._idle.get()
        try:
            _deliver(connection, sender, body, len(events))
        finally:
            self._idle.put(connection)


def _deliver(
    connection: HTTPConnection, sender: tuple[str, str], body: bytes, events: int
) -> None:
    """Post a batch until the server has taken it.

    Raises:
        RuntimeError: It refused some of it, or had no time for it at all.
    """
    user_agent, address = sender
    headers = {
        "content-type": "text/plain;charset=UTF-8",
        "origin": SHOP,
        "user-agent": user_agent,
        "x-forwarded-for": address,
    }
    said = ""
    for _ in range(TRIES):
        connection.request("POST", "/e/batch", body, headers)
        answer = connection.getresponse()
        text = answer.read()
        if answer.status == HTTPStatus.OK and json.loads(text)["accepted"] == events:
            return
        said = f"/e/batch answered {answer.status}: {text[:500]!r}"
        if answer.status not in BUSY:
            break
        Event().wait(float(answer.headers.get("retry-after", "1")))
    raise RuntimeError(said)
