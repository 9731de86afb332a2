"""A server on a real socket that answers browsers as a test wants."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any

from clamp_server.demo.browsers import Browsers


class Answering(ThreadingHTTPServer):
    """A server that gives some answers in turn, then takes everything."""

    def __init__(self, *answers: tuple[int, dict[str, str], dict[str, Any]]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers = list(answers)
        self.lock = Lock()
        self.taken: list[tuple[str, str, list[Any]]] = []


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Answering

    def do_POST(self) -> None:
        length = int(self.headers["content-length"])
        events = json.loads(self.rfile.read(length))["events"]
        with self.server.lock:
            if self.server.answers:
                self._answer(*self.server.answers.pop(0))
                return
            who = (self.headers["user-agent"], self.headers["x-forwarded-for"])
            self.server.taken.append((*who, events))
        self._answer(200, {}, {"accepted": len(events)})

    def _answer(self, status: int, headers: dict[str, str], body: object) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet: the tests look at what was taken."""


@contextmanager
def browsing(server: Answering) -> Iterator[Browsers]:
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        endpoint = f"http://127.0.0.1:{server.server_port}"
        with Browsers(endpoint, "proj_shop") as browsers:
            yield browsers
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
