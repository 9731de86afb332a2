"""Wiring: from settings to one ASGI application. The only place that builds."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from starlette.applications import Starlette

from clamp_server import __version__
from clamp_server.api import ingest_routes, operations, question_routes, saved_routes
from clamp_server.api.answers import ERROR_HANDLERS
from clamp_server.api.credential import Credentials
from clamp_server.api.ingest_door import Doorkeeper
from clamp_server.api.ingest_routes import EventsFirst, Ingest
from clamp_server.api.metrics import Metrics
from clamp_server.api.request_body import BodyReader
from clamp_server.clock import Clock, now
from clamp_server.config import Settings
from clamp_server.errors import ConfigError
from clamp_server.ingest.admit import RateLimiter
from clamp_server.ingest.buffer import Buffer
from clamp_server.ingest.counts import Counts
from clamp_server.ingest.enrich import Enricher
from clamp_server.ingest.pipeline import Pipeline
from clamp_server.store.catalog import Catalog
from clamp_server.store.on_duckdb import DuckDBStore
from clamp_server.store.sql import EventStore
from clamp_server.web import site
from clamp_server.web.stream import Live

_log = logging.getLogger(__name__)


def open_catalog(settings: Settings, clock: Clock = now) -> Catalog:
    """Open the catalog of a data directory, brought up to this release.

    Raises:
        ConfigError: It cannot be opened, or a newer release has written it.
    """
    catalog = Catalog(settings.catalog_url, clock, _token)
    catalog.migrate()
    return catalog


def open_store(settings: Settings, clock: Clock = now) -> EventStore:
    """Open the events of `settings`, brought up to this release.

    Raises:
        ConfigError: They cannot be opened, another server has them, or what
            ClickHouse needs is not installed.
    """
    if settings.store_url is None:
        return DuckDBStore(settings.events_path, settings.duckdb_memory_mb, clock)
    try:
        from clamp_server.store.on_clickhouse import ClickHouseStore
    except ModuleNotFoundError as error:
        raise ConfigError(
            "ClickHouse needs its driver: pip install 'clamp-server[clickhouse]'"
        ) from error
    return ClickHouseStore(settings.store_url, clock)


def build_app(settings: Settings, clock: Clock = now) -> Starlette:
    """Open the stores of `settings` and build the server around them.

    The lifespan of the application starts the writer, and at its end commits
    what waits and closes the stores. `state.catalog` and `state.store` are for
    whoever runs it; `state.end_streams` is called when it is asked to stop.

    Raises:
        ConfigError: A store cannot be opened, or another server has it.
    """
    enricher = Enricher((settings.geo_path,))
    catalog = open_catalog(settings, clock)
    store = open_store(settings, clock)
    counts = Counts()
    buffer = Buffer(store, counts.commits, settings.max_queued_events)
    credentials = Credentials(catalog.snapshot)
    live = Live(store)
    takers = ingest_routes.routes(
        Ingest(
            keeper=Doorkeeper(
                credentials=credentials,
                bodies=BodyReader(),
                clock=clock,
                trusted_proxies=settings.trusted_proxies,
            ),
            limiter=RateLimiter(),
            pipeline=Pipeline(enricher, buffer),
            counts=counts,
        )
    )
    metrics = Metrics(counts, [t.path for t in takers], lambda: buffer.queued_events)
    app = EventsFirst(
        takers,
        routes=[
            *operations.routes(store, buffer, credentials, metrics),
            *question_routes.routes(store, credentials, clock),
            *saved_routes.routes(store, catalog, credentials, clock),
            *site.routes(
                store=store,
                catalog=catalog,
                clock=clock,
                live=live,
                public_url=settings.public_url,
            ),
        ],
        exception_handlers=ERROR_HANDLERS,
        lifespan=_lifespan(buffer, store, catalog),
    )
    app.state.catalog, app.state.store = catalog, store
    app.state.end_streams = live.close
    return app


def _lifespan(
    buffer: Buffer, store: EventStore, catalog: Catalog
) -> Callable[[Starlette], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        buffer.start()
        _log.info("started", extra={"version": __version__})
        yield
        await buffer.close()
        await asyncio.to_thread(store.close)
        catalog.close()
        _log.info("stopped")

    return lifespan


def _token() -> str:
    return secrets.token_urlsafe(32)
