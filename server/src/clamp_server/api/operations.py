"""What operators and their tools ask: is it well, and what has it done."""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from clamp_server.api.answers import json_response
from clamp_server.api.credential import Credentials
from clamp_server.api.metrics import CONTENT_TYPE, Metrics
from clamp_server.errors import StoreUnavailableError
from clamp_server.ingest.buffer import Buffer
from clamp_server.store.sql import EventStore, Sql

_ALIVE = Sql("SELECT 1 AS alive")


def routes(
    store: EventStore, buffer: Buffer, credentials: Credentials, metrics: Metrics
) -> list[BaseRoute]:
    """Return the routes of `/healthz` and `/metrics`."""

    async def healthz(_: Request) -> Response:
        """Answer 200 once events can be taken and asked for."""
        trouble = buffer.trouble()
        if trouble is not None:
            raise StoreUnavailableError(trouble)
        await credentials.check()
        try:
            await asyncio.to_thread(store.rows, _ALIVE)
        except StoreUnavailableError as error:
            raise StoreUnavailableError("the event store does not answer") from error
        return json_response({"status": "ok"})

    async def show_metrics(_: Request) -> Response:
        return Response(metrics.text(), headers={"content-type": CONTENT_TYPE})

    return [Route("/healthz", healthz), Route("/metrics", show_metrics)]
