"""Applications behind a real server, and a browser in front of it."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import uvicorn

LONGEST_WAIT_S = 30.0


@dataclass(frozen=True)
class Browser:
    """Sends requests as a browser does that has our cookie."""

    port: int

    def get(self, path: str, **headers: str) -> tuple[int, str]:
        """Status and text of the answer."""
        return self.ask("GET", path, cookie="theme=dark; clamp_aid=aid_1", **headers)

    def ask(self, method: str, path: str, **headers: str) -> tuple[int, str]:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, LONGEST_WAIT_S)
        try:
            connection.request(method, path, headers=sent)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the test sees the answers."""


@contextmanager
def wsgi_server(app: Any) -> Iterator[Browser]:
    with make_server("127.0.0.1", 0, app, handler_class=_Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield Browser(server.server_port)
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def asgi_server(app: Any, lifespan: Any = "auto") -> Iterator[Browser]:
    config = uvicorn.Config(
        app, port=0, log_level="critical", lifespan=lifespan, ws="none"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        deadline_s = time.monotonic() + LONGEST_WAIT_S
        while not server.started:
            assert thread.is_alive()
            assert time.monotonic() < deadline_s
            threading.Event().wait(0.01)
        yield Browser(server.servers[0].sockets[0].getsockname()[1])
    finally:
        server.should_exit = True
        thread.join()
