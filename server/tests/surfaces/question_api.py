"""The read API in process, over a real catalog, and a client with a key."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
from starlette.applications import Starlette
from tests.make import NOON

from clamp_server.api import question_routes
from clamp_server.api.answers import ERROR_HANDLERS
from clamp_server.api.credential import Credentials
from clamp_server.model.ids import ProjectId
from clamp_server.model.project import NewKey
from clamp_server.store.catalog import Catalog
from clamp_server.store.sql import EventStore


@dataclass
class QuestionApi:
    """The app, a project in it, and requests that bring the project's key."""

    app: Starlette
    catalog: Catalog
    project_id: ProjectId
    new_key: NewKey
    runner: asyncio.Runner

    def get(self, path: str, *, key: str | None = None) -> httpx.Response:
        """Send a GET with `key`, or with the project's own; '' for none."""
        return self.runner.run(self.request("GET", path, key=key))

    def ask(self, path: str) -> httpx.Response:
        """Ask about the project."""
        return self.get(self.path(path))

    def path(self, path: str) -> str:
        """Return the address of a question about the project."""
        return f"/analytics/{self.project_id}{path}"

    async def request(
        self, method: str, path: str, *, key: str | None = None
    ) -> httpx.Response:
        given = self.new_key.api_key if key is None else key
        # What nobody expected reaches the test as it reaches a client.
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://clamp.test"
        ) as client:
            return await client.request(
                method, path, headers={"x-clamp-key": given} if given else {}
            )


@contextmanager
def opened_question_api(store: EventStore, catalog: Catalog) -> Iterator[QuestionApi]:
    """Build the read API over a store, with one project and its key."""
    project = catalog.create_project("Shop")
    app = Starlette(
        routes=question_routes.routes(
            store, Credentials(catalog.snapshot), clock=lambda: NOON
        ),
        exception_handlers=ERROR_HANDLERS,
    )
    with asyncio.Runner() as runner:
        yield QuestionApi(
            app, catalog, project.id, catalog.create_key(project.id), runner
        )
