"""`clamp demo`: the main job, visible.

Three programs, as in real life: this one, which only asks; `clamp serve`; and a
shop (`clamp_server.demo.shop`) that sends events through the SDK and browsers.
"""

from __future__ import annotations

import importlib.util
import json
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import Annotated, Any
from urllib.error import URLError

import typer
from rich.progress import Progress

from clamp_server.cli.demo_table import Shopkeeper, print_what_landed
from clamp_server.cli.terminal import catalog, out
from clamp_server.clock import now
from clamp_server.config import DEFAULT_HOST, DEFAULT_PORT
from clamp_server.errors import ConfigError
from clamp_server.web.sign_in import sign_in_link

START_TRIES, START_TRY_S = 150, 0.2
ASK_S = 30.0
STOP_S = 15.0
# The page is open for as long as somebody may want to show it to someone.
LINK_LIFETIME = timedelta(hours=12)
# With today, no period that can be asked about has more.
MAX_DAYS = 365


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """What the shop is to make up."""

    days: int
    events: int
    seed: int

    def arguments(self) -> list[str]:
        """Return it as the shop's program takes it."""
        return [f"--{name}={getattr(self, name)}" for name in self.__slots__]


def demo(
    once: Annotated[bool, typer.Option("--once", help="End after the tables.")] = False,
    port: Annotated[int, typer.Option(help="TCP port to listen on.")] = DEFAULT_PORT,
    data: Annotated[
        Path | None,
        typer.Option(
            help="Where to keep it.",
            show_default="a temporary directory, removed at the end",
            metavar="DIR",
        ),
    ] = None,
    days: Annotated[
        int, typer.Option(help="How far back it goes.", min=1, max=MAX_DAYS)
    ] = 7,
    events: Annotated[
        int, typer.Option(help="How many there are in that time.", min=1)
    ] = 2_000,
    seed: Annotated[
        int, typer.Option(help="Of the dice: the same seed makes the same traffic.")
    ] = 7,
) -> None:
    """Show it all: a server, a small shop, real events, and a page that moves."""
    if importlib.util.find_spec("clamp_analytics") is None:
        raise ConfigError(
            "the demo's shop talks through the SDK, which is not installed:"
            ' pip install "clamp-server[demo]"'
        )
    # Whatever ends the demo ends what it started.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))
    with ExitStack() as stack:
        if data is None:
            data = Path(stack.enter_context(tempfile.TemporaryDirectory("clamp-demo")))
        _show(Traffic(days=days, events=events, seed=seed), data, port, once=once)


def _show(traffic: Traffic, data: Path, port: int, *, once: bool) -> None:
    with ExitStack() as stack:
        endpoint = stack.enter_context(_server(data, _free_port(port)))
        with catalog(data) as kept:
            project = kept.create_project("Coffee shop")
            api_key = kept.create_key(project.id).api_key
            link = sign_in_link(kept, endpoint, LINK_LIFETIME)
        keeper = Shopkeeper(endpoint=endpoint, project_id=project.id, api_key=api_key)
        since = now() - timedelta(days=traffic.days)
        sent, shop = stack.enter_context(_shop(keeper, traffic))
        print_what_landed(keeper, sent, f"{since:%Y-%m-%d}:{now():%Y-%m-%d}")
        if not once:
            out.print(f"\nThe page: {link}", soft_wrap=True, highlight=False)
            _let_it_move(shop)


@contextmanager
def _server(data: Path, port: int) -> Iterator[str]:
    """Run `clamp serve` and yield its address once it takes events."""
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    # The visitors' addresses are made up, and reach the server in the header
    # that a proxy would write.
    arguments = (
        "--port",
        str(port),
        "--data",
        str(data),
        "--trusted-proxy",
        "127.0.0.1",
    )
    with (
        (data / "serve.log").open("wb") as log,
        _program("clamp_server", "serve", *arguments, stdout=log, stderr=log) as server,
    ):
        endpoint = f"http://{DEFAULT_HOST}:{port}"
        if not _is_healthy(endpoint, server):
            said = (data / "serve.log").read_text(errors="replace").strip()
            raise ConfigError(f"the server did not start; it said:\n{said[-2000:]}")
        yield endpoint


@contextmanager
def _shop(
    keeper: Shopkeeper, traffic: Traffic
) -> Iterator[tuple[dict[str, int], subprocess.Popen[bytes]]]:
    """Run the shop and yield what it sent, once it caught up with today."""
    with _program(
        "clamp_server.demo.shop",
        *traffic.arguments(),
        env=keeper.environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as shop:
        sent = _sent(shop, traffic.events)
        if sent is None:
            raise ConfigError("the shop failed; its error stands above")
        yield sent, shop


def _sent(shop: subprocess.Popen[bytes], events: int) -> dict[str, int] | None:
    """Show how far the shop is; return what it sent, None where it did not get there.

    The bar goes away when it is done, and is nothing but in a terminal.
    """
    with Progress(console=out, transient=True, disable=not out.is_terminal) as bar:
        task = bar.add_task("Sending events", total=events)
        for line in shop.stdout or ():
            said = json.loads(line)
            if "sent" in said:
                return dict(said["sent"])
            bar.update(task, completed=said["sent_so_far"])
    return None


@contextmanager
def _program(
    module: str, *arguments: str, **how: Any
) -> Iterator[subprocess.Popen[bytes]]:
    """Run one of our own modules beside us, and end it when we are done."""
    program = subprocess.Popen[bytes](
        [sys.executable, "-m", module, *arguments],
        # Ctrl-C is for us alone: we close the shop before the server.
        start_new_session=True,
        **how,
    )
    try:
        yield program
    finally:
        program.terminate()
        try:
            program.wait(STOP_S)
        except subprocess.TimeoutExpired:
            program.kill()
            program.wait()


def _free_port(wanted: int) -> int:
    """Return `wanted` when nobody listens there, else a port that is free."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((DEFAULT_HOST, wanted))
        except OSError:
            probe.bind((DEFAULT_HOST, 0))
        return int(probe.getsockname()[1])


def _is_healthy(endpoint: str, server: subprocess.Popen[bytes]) -> bool:
    for _ in range(START_TRIES):
        try:
            with urllib.request.urlopen(f"{endpoint}/healthz", timeout=ASK_S):  # noqa: S310
                return True
        except (URLError, OSError):
            if server.poll() is not None:
                return False
            Event().wait(START_TRY_S)
    return False


def _let_it_move(shop: subprocess.Popen[bytes]) -> None:
    try:
        out.print("More visitors keep coming until Ctrl-C.")
        if shop.stdin:
            shop.stdin.write(b"\n")
            shop.stdin.flush()
        shop.wait()
    except KeyboardInterrupt:
        out.print("\nClosing the shop.")
