"""A server that takes events as Clamp's own does, and fails in the way a test says."""

from __future__ import annotations

import gzip
import json
import socket
import struct
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

# Nothing here takes nearly as long on any machine: to wait for it is to have failed.
LONGEST_WAIT_S = 60.0


@dataclass(frozen=True)
class Counts:
    """What became of events whose names are all different.

    Attributes:
        stored: Events that the server has.
        doubled: Events that it has more than once, under different ids.
    """

    stored: int
    doubled: int = 0


class BatchSink:
    """Keeps each id once, like the server; nothing else is checked.

    Attributes:
        arrivals: When each request came, on the monotonic clock; without those to
            an endpoint that is not there.
        read: Requests of which the whole body came in.
        repeats: Events that came again with an id that was stored before.
        faults: What the next requests meet, one for each; later ones are taken.
        has_batches: Whether there is a `/e/s/batch`.
    """

    def __init__(self, *faults: Fault, has_batches: bool = True) -> None:
        self.faults = deque(faults)
        self.has_batches = has_batches
        self.arrivals: list[float] = []
        self.repeats = 0
        self.is_over = threading.Event()
        # Every request that is read waits while a test has it cleared.
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.read = 0
        self._names: dict[str, str] = {}
        self._changed = threading.Condition()
        self._connections: set[socket.socket] = set()
        self._port = 0
        self._server: _Server | None = None

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def counts(self) -> Counts:
        with self._changed:
            names = Counter(self._names.values())
            return Counts(len(names), sum(names.values()) - len(names))

    @property
    def names(self) -> set[str]:
        with self._changed:
            return set(self._names.values())

    def wait_for(self, condition: Callable[[BatchSink], bool]) -> None:
        """Wait until it is true, which is looked at whenever a request came."""
        with self._changed:
            assert self._changed.wait_for(lambda: condition(self), LONGEST_WAIT_S)

    def open(self) -> None:
        """Come up, at the same address as before."""
        self._server = _Server(("127.0.0.1", self._port), _handler(self))
        self._port = self._server.server_address[1]
        threading.Thread(
            target=self._server.serve_forever, args=(0.01,), daemon=True
        ).start()

    def shut(self) -> None:
        """Go down: connections end, and new ones refused."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
        with self._changed:
            connections = list(self._connections)
        for connection in connections:
            # Unless it has just ended by itself.
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def came(self) -> Fault:
        """Note a request, and say what it meets."""
        with self._changed:
            self.arrivals.append(time.monotonic())
            self._changed.notify_all()
            return self.faults.popleft() if self.faults else take

    def hold(self) -> None:
        """Note that a request was read, and keep it while no answer may be given."""
        with self._changed:
            self.read += 1
            self._changed.notify_all()
        self.may_answer.wait(LONGEST_WAIT_S)

    def store(self, path: str, headers: Any, content: bytes) -> dict[str, Any]:
        """Take the events of a request, and return what to answer."""
        if headers.get("content-encoding") == "gzip":
            content = gzip.decompress(content)
        body = json.loads(content)
        if path == "/e/s":
            events = [{"id": headers["idempotency-key"], "name": body["name"]}]
        else:
            events = body["events"]
        with self._changed:
            before = self.repeats
            for event in events:
                self.repeats += event["id"] in self._names
                self._names.setdefault(event["id"], event["name"])
            self._changed.notify_all()
            duplicates = self.repeats - before
        return {
            "ok": True,
            "accepted": len(events) - duplicates,
            "duplicates": duplicates,
            "rejected": [],
        }

    def connected(self, connection: socket.socket, *, is_open: bool) -> None:
        """Keep account of the connections that `shut` has to end."""
        with self._changed:
            if is_open:
                self._connections.add(connection)
            else:
                self._connections.discard(connection)

    def __enter__(self) -> BatchSink:
        self.open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.is_over.set()
        self.may_answer.set()
        self.shut()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a connection that ended: here that is what is tried."""
        if not isinstance(sys.exc_info()[1], (OSError, ValueError)):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    """One connection; a fault gets it to read from and to answer with."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    sink: BatchSink

    def setup(self) -> None:
        super().setup()
        self.sink.connected(self.connection, is_open=True)

    def finish(self) -> None:
        self.sink.connected(self.connection, is_open=False)
        super().finish()

    def do_POST(self) -> None:
        if self.path == "/e/s/batch" and not self.sink.has_batches:
            fault = refuse(404)
        else:
            fault = self.sink.came()
        fault(self)

    def content(self) -> bytes:
        """Read the body, and wait until it may be answered."""
        content = self.rfile.read(self.length)
        self.sink.hold()
        return content

    @property
    def length(self) -> int:
        return int(self.headers["content-length"])

    def answer(self, status: int, body: Any, headers: dict[str, str]) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(content)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: what came is counted."""


Fault = Callable[[Handler], None]


def take(handler: Handler) -> None:
    """No fault: store the events and answer."""
    content = handler.content()
    stored = handler.sink.store(handler.path, handler.headers, content)
    handler.answer(200, stored, {})


def refuse(status: int, **headers: str) -> Fault:
    """Read the request and answer with this status; a header's `_` is a hyphen."""

    def refusing(handler: Handler) -> None:
        handler.content()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        handler.answer(status, {"error": "no", "message": "scripted"}, named)

    return refusing


def lose_answer(handler: Handler) -> None:
    """Store the events, and end the connection before any answer."""
    content = handler.content()
    handler.sink.store(handler.path, handler.headers, content)
    _end(handler)


def reset_mid_body(handler: Handler) -> None:
    """Read half of the body, and end the connection."""
    handler.rfile.read(handler.length // 2)
    _end(handler)


def hang(handler: Handler) -> None:
    """Never answer."""
    handler.sink.is_over.wait(LONGEST_WAIT_S)
    handler.close_connection = True


def _end(handler: Handler) -> None:
    # As a machine does that knows nothing of the connection any more.
    linger = struct.pack("ii", 1, 0)
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    handler.close_connection = True
    # The socket closes with the last of the three that use it.
    handler.rfile.close()
    handler.wfile.close()
    handler.connection.close()


def _handler(sink: BatchSink) -> type[Handler]:
    return type("BoundHandler", (Handler,), {"sink": sink})
