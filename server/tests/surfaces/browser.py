"""The pages in process, and somebody who opens them."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from starlette.applications import Starlette
from tests.make import NOON

from clamp_server.store.catalog import Catalog
from clamp_server.store.on_duckdb import DuckDBStore
from clamp_server.store.sql import EventStore
from clamp_server.web import site
from clamp_server.web.sign_in import LINK_LIFETIME
from clamp_server.web.stream import Live, Pace

ORIGIN = "http://clamp.test"
FROM_HERE = {"origin": ORIGIN}
EMAIL, PASSWORD = "ada@shop.example", "four words in a row"


@dataclass
class Clock:
    """A clock that stands until a test moves it."""

    at: datetime = NOON

    def __call__(self) -> datetime:
        return self.at

    def wait(self, **time: float) -> None:
        self.at += timedelta(**time)


@dataclass
class Site:
    """The pages over real stores, and one browser with its cookies."""

    app: Starlette
    catalog: Catalog
    store: EventStore
    clock: Clock
    live: Live
    loop: asyncio.Runner
    client: httpx.AsyncClient = field(init=False)

    def __post_init__(self) -> None:
        self.client = self.browser()

    def browser(self) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(self.app)
        return httpx.AsyncClient(transport=transport, base_url=ORIGIN)

    def get(self, path: str, **more: Any) -> httpx.Response:
        return self.loop.run(self.client.get(path, **more))

    def post(
        self, path: str, headers: dict[str, str] = FROM_HERE, **fields: str
    ) -> httpx.Response:
        sent = headers | {"content-type": "application/x-www-form-urlencoded"}
        return self.loop.run(self.client.post(path, data=fields, headers=sent))

    def open_link(self) -> httpx.Response:
        """Sign in as the bearer of a link."""
        token = self.catalog.create_sign_in_link(LINK_LIFETIME)
        return self.post("/sign-in/link", token=token)

    def sign_up(self) -> httpx.Response:
        """Sign in by a link, and take an email and a password."""
        self.open_link()
        return self.post("/account", email=EMAIL, password=PASSWORD)


@contextmanager
def opened_site(
    directory: Path, *, public_url: str | None = None, pace: Pace | None = None
) -> Iterator[Site]:
    """Open the pages over an empty store and an empty catalog."""
    numbers, clock = itertools.count(1), Clock()
    catalog = Catalog(
        f"sqlite:///{directory / 'catalog.sqlite'}",
        clock,
        # As long as a real one, and never the same twice.
        lambda: f"{next(numbers):016d}{'a' * 27}",
    )
    catalog.migrate()
    store = DuckDBStore(None)
    live = Live(store, pace)
    routes = site.routes(
        store=store, catalog=catalog, clock=clock, live=live, public_url=public_url
    )
    with asyncio.Runner() as loop:
        opened = Site(Starlette(routes=routes), catalog, store, clock, live, loop)
        yield opened
        loop.run(opened.client.aclose())
    store.close()
    catalog.close()
