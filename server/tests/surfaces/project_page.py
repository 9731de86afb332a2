"""The page of a project and its stream of events, as a browser gets them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Any

from tests.surfaces.browser import Site
from tests.surfaces.shop import of_project

from clamp_server.model.project import Project


def words(html: str) -> str:
    """What is between the tags, with single spaces."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def page(pages: Site, project: Project, query: str = "") -> str:
    answer = pages.get(f"/p/{project.id}{query}")
    assert answer.status_code == 200, answer.text
    return answer.text


def add(pages: Site, project: Project, *events: Any) -> None:
    pages.store.append(of_project(project.id, events))


def stream(
    pages: Site,
    project: Project,
    query: str = "",
    headers: dict[str, str] | None = None,
    begun: Callable[[], None] = lambda: None,
) -> str:
    """Read the stream until it has told of events, then close it as a stop does.

    Args:
        begun: Called when the first words are there, and no event yet.
    """
    return pages.loop.run(_stream(pages, project, query, headers or {}, begun))


async def _stream(
    pages: Site,
    project: Project,
    query: str,
    headers: dict[str, str],
    begun: Callable[[], None],
) -> str:
    body: list[bytes] = []

    async def receive() -> dict[str, Any]:
        await asyncio.Event().wait()
        raise AssertionError("nobody sets that event")

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            sent = dict(message["headers"])
            assert message["status"] == 200
            assert sent[b"content-type"] == b"text/event-stream; charset=utf-8"
            assert sent[b"x-accel-buffering"] == b"no"
        elif chunk := message["body"]:
            if not body:
                begun()
            body.append(chunk)
            if b"data: " in chunk:
                pages.live.close()

    request = pages.client.build_request(
        "GET", f"/p/{project.id}/stream{query}", headers=headers
    )
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "GET",
        "path": request.url.path,
        "raw_path": request.url.raw_path,
        "query_string": request.url.query,
        "headers": [(k.lower(), v) for k, v in request.headers.raw],
        "root_path": "",
        "scheme": "http",
        "server": ("clamp.test", 80),
        "client": ("127.0.0.1", 1),
    }
    await asyncio.wait_for(pages.app(scope, receive, send), 30)  # type: ignore[arg-type]  # a plain ASGI call
    return b"".join(body).decode()
