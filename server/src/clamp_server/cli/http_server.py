"""HTTP as this server speaks it. The only user of `uvicorn`.

uvicorn keeps headers of any size, waits without end for a request that has begun
to arrive, and refuses what is no HTTP in plain text. Here all three are bounded,
and refused in the one shape of every error.
"""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import Callable
from typing import cast

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

# Of a request's line and headers together; nginx and Apache have 8 to 32 KB.
MAX_HEAD_BYTES = 64 * 1024
# From the first byte of a request to its last, and from the connection to the
# first: a megabyte over a slow line takes half of it.
MAX_ARRIVAL_S = 60.0
# Longer than clients and proxies keep an idle connection, so that it is they who
# close it: a request that meets a closing connection has to be sent again.
KEEP_ALIVE_S = 75
# What is in flight is committed in milliseconds; this is for a client that stops
# in the middle of its body, and shorter than systemd's or Docker's patience.
STOP_S = 8
# Connections that wait to be accepted, as far as the kernel allows.
BACKLOG = 2048
# uvicorn ticks ten times a second.
_TICKS_A_LOOK = 5


class HttpServer(uvicorn.Server):
    """A server of `app` until SIGTERM or SIGINT, or until `should_exit` is set.

    Args:
        started: Called when requests can come in.
        stopping: Called when no more can, before those that are open are waited
            for; it ends the streams, which would go on for ever.
        max_arrival_s: How long a request may take to arrive.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        started: Callable[[], None],
        stopping: Callable[[], None],
        max_arrival_s: float = MAX_ARRIVAL_S,
    ) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=_Protocol,
                ws="none",
                loop="auto",
                lifespan="on",
                log_config=None,
                access_log=False,
                # X-Forwarded-For is read by the application, from trusted proxies.
                proxy_headers=False,
                server_header=False,
                backlog=BACKLOG,
                timeout_keep_alive=KEEP_ALIVE_S,
                timeout_graceful_shutdown=STOP_S,
            )
        )
        self._on_started = started
        self._on_stopping = stopping
        self._max_arrival_s = max_arrival_s

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen."""
        await super().startup(sockets)
        self._on_started()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop to listen, and wait for what is open."""
        self._on_stopping()
        await super().shutdown(sockets)

    async def on_tick(self, counter: int) -> bool:
        """Do what is done now and then; True ends the server."""
        if counter % _TICKS_A_LOOK == 0:
            # A look at all, and not a timer for each: that would cost every
            # request as much as reading its headers does.
            began_before_s = time.monotonic() - self._max_arrival_s
            connections = cast("set[_Protocol]", self.server_state.connections)
            for connection in list(connections):
                connection.end_if_stalled(began_before_s, self._max_arrival_s)
        return await super().on_tick(counter)


class _Protocol(HttpToolsProtocol):
    """One connection.

    `_arriving_since_s` is when the request that is on its way in began, or the
    connection; None from a request's last byte to the next one's first.
    """

    _arriving_since_s: float | None = None
    _head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # As uvicorn's.
        super().connection_made(transport)
        self._arriving_since_s = time.monotonic()

    def data_received(self, data: bytes) -> None:
        if self._arriving_since_s is None:
            self._arriving_since_s = time.monotonic()
        super().data_received(data)
        if self._arriving_since_s is not None:
            self._bound_head(len(data))

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._arriving_since_s, self._head_bytes = None, 0

    def send_400_response(self, msg: str) -> None:
        self._hang_up(
            "400 Bad Request",
            "malformed_request",
            "request: got what is no HTTP; check its request line, its headers and"
            " their content-length",
        )

    def end_if_stalled(self, began_before_s: float, allowed_s: float) -> None:
        began_s = self._arriving_since_s
        if began_s is not None and began_s < began_before_s:
            self._hang_up(
                "408 Request Timeout",
                "request_timeout",
                f"request: got a part of it; {allowed_s:g} s are allowed",
            )

    def _bound_head(self, arrived_bytes: int) -> None:
        # uvicorn fills in the method when the headers are complete.
        if self.scope is not None and "method" in self.scope:
            return
        self._head_bytes += arrived_bytes
        if self._head_bytes > MAX_HEAD_BYTES:
            self._hang_up(
                "431 Request Header Fields Too Large",
                "headers_too_large",
                f"headers: at most {MAX_HEAD_BYTES} bytes are allowed",
            )

    def _hang_up(self, status: str, code: str, message: str) -> None:
        if self.transport.is_closing():
            return
        # Nothing of ours may come in between when a response has begun.
        is_answering = self.cycle is not None and (
            self.cycle.response_started and not self.cycle.response_complete
        )
        if not is_answering and not self.pipeline:
            body = json.dumps({"error": code, "message": message})
            head = "content-type: application/json\r\nconnection: close"
            answer = f"HTTP/1.1 {status}\r\n{head}\r\n\r\n{body}"
            self.transport.write(answer.encode())
        self.transport.close()
