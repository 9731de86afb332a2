"""`clamp serve`: runs the server."""

from __future__ import annotations

import gc
import os
import signal
import socket
import sys
from typing import Annotated

import typer

from clamp_server.app import build_app
from clamp_server.cli.http_server import BACKLOG, HttpServer
from clamp_server.cli.terminal import Data, Store
from clamp_server.config import (
    DEFAULT_HOST,
    DEFAULT_PORT,
    Settings,
    data_directory,
    event_store_url,
    networks,
)
from clamp_server.errors import ConfigError
from clamp_server.log import configure_log
from clamp_server.web.sign_in import first_link

# A request leaves no cycles behind, but its objects are counted while it waits
# for its commit: with Python's own 700, 10, 10 the collector ran 250 times a
# second under load and took a seventh of the time.
GC_THRESHOLDS = (20_000, 10, 20)


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = DEFAULT_HOST,
    port: Annotated[
        int, typer.Option(help="TCP port; 0 lets the system choose.", min=0, max=65535)
    ] = DEFAULT_PORT,
    data: Data = None,
    store: Store = None,
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
        store_url=event_store_url(store),
        host=host,
        port=port,
        trusted_proxies=networks(trusted_proxy or []),
        public_url=public_url,
    )
    configure_log()
    # Libraries make files too, such as DuckDB's log: nobody else may read those.
    os.umask(0o077)
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
    server = HttpServer(app, started=announce, stopping=app.state.end_streams)
    # What is there now stays: the collector need not go through it again, which
    # is the longest of its pauses.
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    try:
        server.run(sockets=[listener])
    finally:
        # At the end of the interpreter DuckDB's library complains of all that
        # is still there.
        gc.unfreeze()


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
