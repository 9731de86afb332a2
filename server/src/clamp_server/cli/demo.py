"""`clamp demo`: the main job, visible.

Three programs, as in real life: this one, which only asks; `clamp serve`; and a
shop (`clamp_server.demo.shop`) that sends events through the SDK and browsers.
"""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import Annotated, Any
from urllib.error import URLError

import typer
from rich.table import Table

from clamp_server.cli.terminal import catalog, out
from clamp_server.config import DEFAULT_HOST, DEFAULT_PORT
from clamp_server.errors import ConfigError
from clamp_server.web.sign_in import sign_in_link

START_TRIES, START_TRY_S = 150, 0.2
ASK_S = 30.0
STOP_S = 15.0
# The page is open for as long as somebody may want to show it to someone.
LINK_LIFETIME = timedelta(hours=12)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shopkeeper:
    """What the shop needs to know of its server, and we to ask about it."""

    endpoint: str
    project_id: str
    api_key: str

    def environment(self) -> dict[str, str]:
        """The environment that the SDK reads."""
        return os.environ | {
            "CLAMP_ENDPOINT": self.endpoint,
            "CLAMP_PROJECT_ID": self.project_id,
            "CLAMP_API_KEY": self.api_key,
        }

    def ask(self, question: str) -> Any:
        """Ask the server's read API, as any program would."""
        request = urllib.request.Request(  # noqa: S310 - our own address
            f"{self.endpoint}/analytics/{self.project_id}/{question}",
            headers={"x-clamp-key": self.api_key},
        )
        with urllib.request.urlopen(request, timeout=ASK_S) as answer:  # noqa: S310
            return json.load(answer)


def demo(
    once: Annotated[bool, typer.Option("--once", help="End after the table.")] = False,
    port: Annotated[int, typer.Option(help="TCP port to listen on.")] = DEFAULT_PORT,
    data: Annotated[
        Path | None,
        typer.Option(
            help="Where to keep it.",
            show_default="a temporary directory, removed at the end",
            metavar="DIR",
        ),
    ] = None,
    visits: Annotated[
        int, typer.Option(help="Visitors in the seven days before now.", min=1)
    ] = 250,
    seed: Annotated[
        int, typer.Option(help="Of the dice: the same seed makes the same shop.")
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
        endpoint = stack.enter_context(_server(data, _free_port(port)))
        with catalog(data) as kept:
            project = kept.create_project("Coffee shop")
            api_key = kept.create_key(project.id).api_key
            link = sign_in_link(kept, endpoint, LINK_LIFETIME)
        keeper = Shopkeeper(endpoint=endpoint, project_id=project.id, api_key=api_key)
        sent, shop = stack.enter_context(_shop(keeper, visits, seed))
        _print_what_landed(keeper, sent)
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
    keeper: Shopkeeper, visits: int, seed: int
) -> Iterator[tuple[dict[str, int], subprocess.Popen[bytes]]]:
    """Run the shop and yield what it sent, once it caught up with today."""
    arguments = ("--visits", str(visits), "--seed", str(seed))
    with _program(
        "clamp_server.demo.shop",
        *arguments,
        env=keeper.environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as shop:
        line = shop.stdout.readline() if shop.stdout else b""
        if not line:
            raise ConfigError("the shop failed; its error stands above")
        yield json.loads(line), shop


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


def _print_what_landed(keeper: Shopkeeper, sent: Mapping[str, int]) -> None:
    schema = keeper.ask("observed-schema?include_pageviews=true&period=30d")
    stored = {event["name"]: event for event in schema["events"]}
    events = _table("What landed", "Event", "Sent#", "Stored#", "Properties")
    for name in sorted(sent):
        kept = stored.get(name, {"count": 0, "properties": {}})
        types = [
            f"{key}: {seen[0]['type']}" for key, seen in kept["properties"].items()
        ]
        events.add_row(name, str(sent[name]), str(kept["count"]), ", ".join(types))
    bugs = _table("Errors grouped into bugs", "Bug", "Type", "Times#", "Fingerprint")
    for bug in keeper.ask("errors/groups?period=30d")["groups"]:
        what, kind = bug.get("sample_message", ""), bug.get("sample_type", "")
        bugs.add_row(what, kind, str(bug["count"]), bug["fingerprint"])
    money = _table("Revenue", "Currency", "Amount#", "Events#")
    for row in keeper.ask("revenue?period=30d"):
        money.add_row(row["currency"], row["amount"], str(row["events"]))
    out.print(events, bugs, money)


def _table(title: str, *headings: str) -> Table:
    """Return an empty table; a heading that ends in `#` is over numbers."""
    table = Table(title=title, title_justify="left")
    for heading in headings:
        is_number = heading.endswith("#")
        table.add_column(heading.rstrip("#"), justify="right" if is_number else "left")
    return table
