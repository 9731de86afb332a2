"""`clamp serve` as a process of its own, and clients that keep a ledger."""

from __future__ import annotations

import http.client
import json
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any

from clamp_server.app import open_catalog
from clamp_server.config import Settings
from clamp_server.store.on_duckdb import DuckDBStore
from clamp_server.store.sql import Sql

START_S = STOP_S = 60.0
ASK_S = 30.0
MANY_TRIES, TRY_S = 600, 0.05


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any
    retry_after: str | None = None


@dataclass(frozen=True)
class Place:
    """A data directory with a project and its key."""

    data: Path
    project_id: str
    api_key: str

    def stored(self) -> Counter[str]:
        """How often each id is stored; the server has ended by now."""
        store = DuckDBStore(Settings(data=self.data).events_path)
        rows = store.rows(Sql("SELECT id, count(*) AS times FROM events GROUP BY id"))
        store.close()
        return Counter({row["id"]: row["times"] for row in rows})


def made_place(data: Path) -> Place:
    catalog = open_catalog(Settings(data=data))
    project = catalog.create_project("Shop")
    api_key = catalog.create_key(project.id).api_key
    catalog.close()
    return Place(data, project.id, api_key)


@dataclass
class Server:
    """A running `clamp serve`."""

    place: Place
    process: subprocess.Popen[str]
    port: int

    def connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=ASK_S)

    def ask(self, method: str, path: str) -> Answer:
        connection = self.connection()
        try:
            return asked(connection, method, path)
        finally:
            connection.close()

    def post(
        self,
        path: str,
        body: Mapping[str, object],
        connection: http.client.HTTPConnection | None = None,
        **headers: str,
    ) -> Answer:
        """Send events; over `connection` where there is one to keep."""
        sent = json.dumps({"p": self.place.project_id, **body}).encode()
        told = {"x-clamp-key": self.place.api_key, "content-type": "application/json"}
        told |= {name.replace("_", "-"): value for name, value in headers.items()}
        used = connection or self.connection()
        try:
            return asked(used, "POST", path, sent, told)
        finally:
            if connection is None:
                used.close()

    def resident_mb(self) -> float:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        (line,) = (x for x in status.splitlines() if x.startswith("VmRSS:"))
        return int(line.split()[1]) / 1024

    def end(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, str]:
        """Send a signal; return the exit code and what the log said."""
        self.process.send_signal(number)
        _, err = self.process.communicate(timeout=STOP_S)
        return self.process.returncode, err


def asked(
    connection: http.client.HTTPConnection,
    method: str,
    path: str,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    connection.request(method, path, body, dict(headers or {}))
    response = connection.getresponse()
    content = response.read()
    return Answer(
        response.status,
        json.loads(content) if content else None,
        response.headers.get("retry-after"),
    )


@contextmanager
def serving(place: Place, *arguments: str) -> Iterator[Server]:
    """Run `clamp serve` until the block ends, if it has not ended by then."""
    with started("--data", str(place.data), "--port", "0", *arguments) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line.startswith("Listening on http://127.0.0.1:"), line
            yield Server(place, process, int(line.rsplit(":", 1)[1]))
        finally:
            process.kill()


def started(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "clamp_server", "serve", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@dataclass
class Ledger:
    """What was sent, and what of it was acknowledged, by id."""

    sent: set[str] = field(default_factory=set)
    acknowledged: set[str] = field(default_factory=set)
    other_answers: Counter[int] = field(default_factory=Counter)
    lock: Lock = field(default_factory=Lock)

    def note(self, ids: list[str], status: int) -> None:
        with self.lock:
            if status == 200:
                self.acknowledged.update(ids)
            else:
                self.other_answers[status] += 1

    def wait_for(self, acknowledged: int) -> None:
        """Wait until so many events are acknowledged."""
        for _ in range(MANY_TRIES):
            if len(self.acknowledged) >= acknowledged:
                return
            Event().wait(TRY_S)
        raise AssertionError(f"only {len(self.acknowledged)} were acknowledged")


class Client:
    """Sends events one request after the other until the server goes away.

    What was sent last and not answered is sent again to the next server, as a
    real client does.

    Args:
        fields: Of each event, besides its id and its name.
    """

    def __init__(self, name: str, batch: int, ledger: Ledger, **fields: str) -> None:
        self._name = name
        self._batch = batch
        self._ledger = ledger
        self._event = {"name": "a", **fields}
        self._unanswered: list[str] = []
        self._sent = 0

    def sending(self, server: Server) -> Thread:
        """Return a running thread that sends to `server`."""
        thread = Thread(target=self._send_to, args=(server,), name=self._name)
        thread.start()
        return thread

    def _send_to(self, server: Server) -> None:
        connection = server.connection()
        try:
            while True:
                ids = self._unanswered or self._fresh_ids()
                answer = self._sent_to(server, ids, connection)
                self._ledger.note(ids, answer.status)
                if answer.status == 200:
                    self._unanswered = []
                else:
                    Event().wait(TRY_S)
        except (OSError, http.client.HTTPException):
            return
        finally:
            connection.close()

    def _fresh_ids(self) -> list[str]:
        numbers = range(self._sent, self._sent + self._batch)
        self._sent += self._batch
        self._unanswered = [f"{self._name}-{n}" for n in numbers]
        self._ledger.sent.update(self._unanswered)
        return self._unanswered

    def _sent_to(
        self, server: Server, ids: list[str], connection: http.client.HTTPConnection
    ) -> Answer:
        if self._batch == 1:
            return server.post("/e/s", self._event, connection, idempotency_key=ids[0])
        events = [{**self._event, "id": one} for one in ids]
        return server.post("/e/s/batch", {"events": events}, connection)
