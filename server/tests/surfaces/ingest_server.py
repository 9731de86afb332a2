"""The whole server in process, over real stores, and those who send to it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from starlette.applications import Starlette

from clamp_server.app import build_app
from clamp_server.config import Settings
from clamp_server.model.project import Project
from clamp_server.store.catalog import Catalog
from clamp_server.store.sql import EventStore, Row, Sql

# A minute after the events of `contract/wire/`.
NOW = datetime(2026, 4, 29, 12, 1, tzinfo=UTC)
JSON = {"content-type": "application/json"}
SERVER_PATHS = ("/e/s", "/e/s/batch")
# Of a page in a browser.
ORIGIN = {"origin": "https://shop.example"}


@dataclass
class Clock:
    """Stands at NOW, or fails."""

    failure: Exception | None = None

    def __call__(self) -> datetime:
        if self.failure is not None:
            raise self.failure
        return NOW


@dataclass(frozen=True)
class Answer:
    """What came back, without the headers that nobody asked about."""

    status: int
    body: Any
    headers: Mapping[str, str] = field(compare=False, default_factory=dict[str, str])


def refusal(status: int, error: str, message: str) -> Answer:
    """The one shape of every error."""
    return Answer(status, {"error": error, "message": message})


OK = Answer(200, {"ok": True})


def batch_answer(accepted: int, duplicates: int = 0, *rejected: object) -> Answer:
    """What is told of a batch of which some event was usable."""
    return Answer(
        200,
        {
            "ok": True,
            "accepted": accepted,
            "duplicates": duplicates,
            "rejected": list(rejected),
        },
    )


@dataclass
class IngestServer:
    """A running server, a project with its keys, and another project."""

    app: Starlette
    loop: asyncio.Runner
    clock: Clock
    project: Project
    keys: Mapping[str, str]
    lifespan: AbstractAsyncContextManager[object]
    mark: int = 0
    is_running: bool = True

    def stop(self) -> None:
        """End the server, as SIGTERM does."""
        if self.is_running:
            self.is_running = False
            self.loop.run(self.lifespan.__aexit__(None, None, None))

    @property
    def catalog(self) -> Catalog:
        catalog: Catalog = self.app.state.catalog
        return catalog

    def request(
        self,
        method: str,
        path: str,
        content: bytes = b"",
        headers: Mapping[str, str] | None = None,
        client: str = "203.0.113.7",
    ) -> Answer:
        """Make one request; a body comes back decoded where it is JSON."""

        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(
                self.app, raise_app_exceptions=False, client=(client, 4711)
            )
            async with httpx.AsyncClient(transport=transport) as http:
                return await http.request(
                    method, f"http://clamp.test{path}", content=content, headers=headers
                )

        response = self.loop.run(ask())
        is_json = response.headers.get("content-type") == "application/json"
        body = response.json() if is_json else response.text
        return Answer(response.status_code, body, response.headers)

    def post(
        self,
        path: str,
        body: object,
        headers: Mapping[str, str] | None = None,
        key: str | None = "own",
        **how: Any,
    ) -> Answer:
        """Post as that endpoint's senders do; `body` is JSON unless bytes."""
        sent = {**JSON}
        if path in SERVER_PATHS and key is not None:
            sent["x-clamp-key"] = self.keys[key]
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.request("POST", path, content, sent | dict(headers or {}), **how)

    def abandon(self, path: str, body: bytes) -> list[Any]:
        """Post a part of a body and go away; return what was answered."""
        messages = iter(
            [
                {"type": "http.request", "body": body, "more_body": True},
                {"type": "http.disconnect"},
            ]
        )
        answered: list[Any] = []

        async def receive() -> Any:
            return next(messages)

        async def send(message: Any) -> None:
            answered.append(message)

        scope = {
            "type": "http",
            "method": "POST",
            "path": path,
            "headers": [
                (b"content-type", b"application/json"),
                (b"x-clamp-key", self.keys["own"].encode()),
            ],
        }
        self.loop.run(self.app(scope, receive, send))
        return answered

    def event(self, **fields: object) -> dict[str, object]:
        """A body of one event of the project."""
        return {"p": self.project.id, "name": "signup", **fields}

    def batch(self, *events: object) -> dict[str, object]:
        """A body of a batch for the project."""
        return {"p": self.project.id, "events": events}

    def stored(self, columns: str = "name") -> list[Row]:
        """What was stored since the last time, of every project."""
        store: EventStore = self.app.state.store
        rows = store.rows(
            Sql(
                f"SELECT seq, {columns} FROM events WHERE seq > $mark ORDER BY seq",
                {"mark": self.mark},
            )
        )
        self.mark = max([self.mark, *(row["seq"] for row in rows)])
        return [{k: v for k, v in row.items() if k != "seq"} for row in rows]

    def metrics(self) -> dict[str, float]:
        """The numbers of `/metrics` by name and label."""
        lines = self.request("GET", "/metrics").body.splitlines()
        pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
        return {name: float(value) for name, value in pairs}


@contextmanager
def ingest_server(data: Path, **settings: Any) -> Iterator[IngestServer]:
    """Run a server on an empty data directory."""
    clock = Clock()
    with asyncio.Runner() as loop:
        app = build_app(Settings(data=data, **settings), clock)
        lifespan = app.router.lifespan_context(app)
        loop.run(lifespan.__aenter__())
        catalog: Catalog = app.state.catalog
        shop, blog = catalog.create_project("Shop"), catalog.create_project("Blog")
        revoked = catalog.create_key(shop.id)
        catalog.revoke_key(revoked.key.id)
        keys = {
            "own": catalog.create_key(shop.id).api_key,
            "foreign": catalog.create_key(blog.id).api_key,
            "revoked": revoked.api_key,
            "unknown": "sk_proj_" + "u" * 43,
        }
        server = IngestServer(app, loop, clock, shop, keys, lifespan)
        try:
            yield server
        finally:
            server.stop()
