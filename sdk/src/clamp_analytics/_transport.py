"""Bodies to the server, over httpx.

A call takes an idle connection or makes one, and puts it back when it is done.
One `httpx.Client` for all threads would do that too, but its pool closes, now and
then, a connection that another thread has just taken: it asks whether the socket
is idle, and then whether it is readable (httpcore 1.0.9; 1 call in 3,200 with 8
threads on loopback). So one call at a time uses a connection.
"""

from __future__ import annotations

import gzip
import json
import os
import sys
import weakref
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import httpx

from clamp_analytics._config import Config
from clamp_analytics._connection import (
    ClientConnection,
    Connection,
    DirectConnection,
    is_looked_into,
)
from clamp_analytics._exchange import Answer
from clamp_analytics._requests import Requests

# From where httpx keeps it, which is where 0.2.0 had it from: `httpx.post` may be a
# test's own by the time that the first client is made, which is when this module
# is imported.
_httpx_post = getattr(sys.modules.get("httpx._api", httpx), "post", httpx.post)

# As many as httpx keeps by default. How many are open at once has no limit: every
# call in 0.2.0 had a connection of its own, and none ever waited for one.
MAX_IDLE_CONNECTIONS = 20


class HttpTransport:
    """Posts bodies to one server; safe with threads, and after a fork.

    Args:
        stand_in: Returns what a test put in the place of `httpx`; None means
            nothing.
        in_background: Nobody waits for what this sends; see `_connection`.

    Raises:
        ClampConnectionError: As `Requests`.
    """

    def __init__(
        self,
        config: Config,
        stand_in: Callable[[], Any] = lambda: None,
        *,
        in_background: bool = False,
    ) -> None:
        self._requests = Requests(config)
        self._stand_in = stand_in
        self._may_go_direct = in_background and self._requests.are_plain()
        # By process id: a forked child must not write into its parent's sockets.
        # No lock guards it, which a thread of the parent could hold at the fork.
        self._idle: dict[int, deque[Connection]] = {}
        # For a `Clamp` that is dropped, and at exit.
        self._ending = weakref.finalize(self, _close_all, self._idle)

    def post(
        self,
        path: str,
        body: bytes,
        headers: Mapping[str, str] | None = None,
        *,
        compress: bool = False,
    ) -> Answer:
        """Send a JSON body and wait for the answer, whatever it is.

        Args:
            headers: Besides those that every request has.
            compress: Send it as gzip.

        Raises:
            ClampConnectionError: If there is no answer.
        """
        with self._requests.translated():
            post = (self._stand_in() or httpx).post
            if post is not _httpx_post:
                return self._made_up_answer(post, path, body, headers or {})
            if compress:
                # As fast as it goes: the second level takes half as long again,
                # for a twentieth less.
                body = gzip.compress(body, compresslevel=1)
                headers = {**(headers or {}), "content-encoding": "gzip"}
            connection = self._take()
            try:
                return connection.post(path, body, headers)
            finally:
                self._put_back(connection)

    def _made_up_answer(
        self, post: Any, path: str, body: bytes, extra: Mapping[str, str]
    ) -> Answer:
        # Version 0.2.0 called `httpx.post` in just this way, and tests that were
        # written for it put a function of their own there, whose answers have no
        # more than what 0.2.0 looked at.
        requests = self._requests
        url, headers = str(requests.url(path)), {**requests.headers, **extra}
        response = post(url, json=json.loads(body), headers=headers)
        if response.is_success:
            return Answer(200, "")
        return Answer(response.status_code, requests.shown(response.text))

    def retire(self) -> None:
        """Close each connection as soon as no call uses it.

        A call that comes later still works; it closes its connection behind it.
        """
        self._ending.detach()
        _close_all(self._idle)

    def _take(self) -> Connection:
        is_direct = self._may_go_direct and not is_looked_into()
        kind = DirectConnection if is_direct else ClientConnection
        try:
            # The latest: the others may reach the age at which they are replaced.
            connection = self._idle_here().pop()
        except IndexError:
            return kind(self._requests)
        if type(connection) is kind:
            return connection
        connection.close()
        return kind(self._requests)

    def _put_back(self, connection: Connection) -> None:
        idle = self._idle_here()
        idle.append(connection)
        # At exit it has ended too, and the application's own handlers still call.
        _close_down_to(MAX_IDLE_CONNECTIONS if self._ending.alive else 0, idle)

    def _idle_here(self) -> deque[Connection]:
        process = os.getpid()
        idle = self._idle.get(process)
        if idle is None:
            idle = self._idle.setdefault(process, deque())
            for parent in set(self._idle) - {process}:
                _close_down_to(0, self._idle.pop(parent, deque()))
        return idle


def _close_all(idle: dict[int, deque[Connection]]) -> None:
    # In a forked child also those of its parent: it says nothing to the server,
    # and the parent's own descriptors stay open.
    for connections in list(idle.values()):
        _close_down_to(0, connections)


def _close_down_to(count: int, idle: deque[Connection]) -> None:
    while len(idle) > count:
        # Another thread may take the last one first.
        with suppress(IndexError):
            idle.popleft().close()
