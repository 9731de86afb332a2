"""`clamp serve`: runs the server. The only user of `uvicorn`."""

from __future__ import annotations

import gc
import os
import signal
import socket
import sys
from collections.abc import Callable
from typing import Annotated

import typer
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from clamp_server.app import build_app
from clamp_server.cli.terminal import Data
from clamp_server.config import (
    DEFAULT_HOST,
    DEFAULT_PORT,
    Settings,
    data_directory,
    networks,
)
from clamp_server.errors import ConfigError
from clamp_server.log import configure_log
from clamp_server.web.sign_in import first_link

# Of a request's line and headers together; nginx and Apache have 8 to 32 KB.
MAX_HEAD_BYTES = 64 * 1024
# Longer than clients and proxies keep an idle connection, so that it is they who
# close it: a request that meets a closing connection has to be sent again.
KEEP_ALIVE_S = 75
# What is in flight is committed in milliseconds; this is for a client that stops
# in the middle of its body, and shorter than systemd's or Docker's patience.
STOP_S = 8
# Connections that wait to be accepted, as far as the kernel allows.
BACKLOG = 2048
# A request leaves no cycles behind, but its objects are counted while it waits
# for its commit: with Python's own 700, 10, 10 the collector ran 250 times a
# second under load and took a seventh of the time.
GC_THRESHOLDS = (20_000, 10, 20)
_TOO_LONG = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-type: application/json\r\nconnection: close\r\n\r\n"
    b'{"error":"headers_too_large","message":"headers: at most 65536 bytes'
    b' are allowed"}'
)
_NO_HTTP = (
    b"HTTP/1.1 400 Bad Request\r\n"
    b"content-type: application/json\r\nconnection: close\r\n\r\n"
    b'{"error":"malformed_request","message":"request: got what is no HTTP;'
    b' check its request line, its headers and their content-length"}'
)


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = DEFAULT_HOST,
    port: Annotated[
        int, typer.Option(help="TCP port; 0 lets the system choose.", min=0, max=65535)
    ] = DEFAULT_PORT,
    data: Data = None,
    trusted_proxy: Annotated[
        list[str] | None,
        typer.Option(
            help="Address or network whose X-Forwarded-For is believed; repeat it"
            " for more.",
            metavar="CIDR",
        ),
    ] = None,
    public_url: Annotated[
        str | None,
        typer.Option(
            help="Where people reach the server from outside.",
            show_default="the address it listens on",
            metavar="URL",
        ),
    ] = None,
) -> None:
    """Run the server until SIGTERM or Ctrl-C, which finish what was accepted."""
    settings = Settings(
        data=data_directory(data),
        host=host,
        port=port,
        trusted_proxies=networks(trusted_proxy or []),
        public_url=public_url,
    )
    configure_log()
    listener = _listener(settings)
    app = build_app(settings)
    address = _address(listener)

    def announce() -> None:
        _say(f"Listening on {address}")
        if link := first_link(app.state.catalog, public_url or address):
            _say(f"Sign in once: {link}")

    for number in (signal.SIGTERM, signal.SIGINT):
        # uvicorn stops on these by itself, then raises them once more.
        signal.signal(number, lambda *_: None)
    config = uvicorn.Config(
        app,
        http=_BoundedHead,
        ws="none",
        loop="auto",
        lifespan="on",
        log_config=None,
        access_log=False,
        # The server reads X-Forwarded-For itself, from trusted proxies only.
        proxy_headers=False,
        server_header=False,
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=STOP_S,
    )
    # What is there now stays: the collector need not go through it again, which
    # is the longest of its pauses.
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    try:
        _Server(config, announce, app.state.end_streams).run(sockets=[listener])
    finally:
        # At the end of the interpreter DuckDB's library complains of all that
        # is still there.
        gc.unfreeze()


class _Server(uvicorn.Server):
    """uvicorn, which tells us when it begins to listen and to stop."""

    def __init__(
        self,
        config: uvicorn.Config,
        started: Callable[[], None],
        stopping: Callable[[], None],
    ) -> None:
        super().__init__(config)
        self._on_started = started
        self._on_stopping = stopping

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_started()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._on_stopping()
        await super().shutdown(sockets)


class _BoundedHead(HttpToolsProtocol):
    """uvicorn's protocol, with a limit for headers and our own refusals."""

    _head_bytes = 0
    _is_head = True

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._is_head:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES and not self.transport.is_closing():
                self.transport.write(_TOO_LONG)
                self.transport.close()

    def send_400_response(self, msg: str) -> None:
        """Refuse what cannot be parsed, in the shape that all refusals have."""
        self.transport.write(_NO_HTTP)
        self.transport.close()

    def on_message_begin(self) -> None:
        self._is_head, self._head_bytes = True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._is_head = False
        super().on_headers_complete()


def _listener(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server(
            (settings.host, settings.port), family=family, backlog=BACKLOG
        )
    except OSError as error:
        # Python adds where it was, which the line says already.
        why = os.strerror(error.errno) if error.errno else str(error)
        raise ConfigError(
            f"cannot listen on {settings.host} port {settings.port}: {why};"
            " choose another with --host and --port"
        ) from error


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
