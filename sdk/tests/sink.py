"""A small server on a real socket that keeps what it was sent."""

from __future__ import annotations

import gzip
import json
import sys
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

OK = b'{"ok":true}'


@dataclass(frozen=True)
class Received:
    """One request as it came off the socket; `connection` counts from 1."""

    path: str
    headers: dict[str, str]
    content: bytes
    connection: int

    @property
    def body(self) -> Any:
        return json.loads(self._plain)

    @property
    def exact_body(self) -> Any:
        """The body with every number as the digits that were sent."""
        return json.loads(self._plain, parse_float=str, parse_int=str)

    @property
    def _plain(self) -> bytes:
        is_gzip = self.headers.get("content-encoding") == "gzip"
        return gzip.decompress(self.content) if is_gzip else self.content


class Sink:
    """Takes every POST; `answer` is what the next ones get, but for some paths."""

    def __init__(self) -> None:
        self.requests: list[Received] = []
        self.connections = 0
        self.answer: tuple[int, bytes, dict[str, str]] = (200, OK, {})
        self.answers: dict[str, tuple[int, bytes, dict[str, str]]] = {}
        # A test that clears it holds every request at the door.
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.has_request = threading.Event()
        self._lock = threading.Lock()
        self._came = threading.Condition(self._lock)
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        # How often it looks whether to stop: each test waits for that once.
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    @property
    def endpoint(self) -> str:
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}"

    @property
    def bodies(self) -> list[Any]:
        return [request.body for request in self.requests]

    def count_connection(self) -> int:
        with self._lock:
            self.connections += 1
            return self.connections

    def keep(self, request: Received) -> None:
        with self._came:
            self.requests.append(request)
            self._came.notify_all()
        self.has_request.set()

    def wait_for_requests(self, count: int) -> bool:
        """Wait until so many came."""
        with self._came:
            return self._came.wait_for(lambda: len(self.requests) >= count, 30)

    def __enter__(self) -> Sink:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.may_answer.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    # A client that keeps its connection must not keep the test from ending.
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a client that went away, as some tests make it do."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


def _handler(sink: Sink) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def setup(self) -> None:
            super().setup()
            self.connection_number = sink.count_connection()

        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            sink.keep(Received(self.path, headers, content, self.connection_number))
            sink.may_answer.wait(timeout=30)
            status, body, extra = sink.answers.get(self.path, sink.answer)
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            for name, value in extra.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing: the requests themselves are kept."""

    return Handler
