"""The read API: every question of the registry as a GET, and what it is about."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeAlias

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from clamp_server.api.answers import json_response
from clamp_server.api.bootstrap import PLAN, Bootstrap
from clamp_server.api.credential import Credentials
from clamp_server.api.openapi import encoded_document
from clamp_server.api.question_threads import question_threads
from clamp_server.clock import Clock
from clamp_server.errors import ForbiddenError
from clamp_server.model.project import Project
from clamp_server.questions.ask import ask
from clamp_server.questions.parameter import read_query
from clamp_server.questions.registry import QUESTIONS, AnyQuestion
from clamp_server.store.sql import EventStore

# A question runs on every core by itself; more at once would only take the
# processor from the events that arrive meanwhile.
MOST_AT_ONCE = 4
# Answers are about one project's data, and old by the next event.
_HEADERS = {"cache-control": "no-store"}

_Endpoint: TypeAlias = Callable[[Request], Awaitable[Response]]


def routes(
    store: EventStore, credentials: Credentials, clock: Clock
) -> list[BaseRoute]:
    """Return the routes of the read API.

    Errors are raised; the app gives them their shape.
    """
    threads = question_threads(MOST_AT_ONCE, "question")

    def answering(question: AnyQuestion) -> _Endpoint:
        async def endpoint(request: Request) -> Response:
            project = await own_project(request, credentials)
            given = request.query_params.multi_items()
            query = read_query(given, question.parameters)
            params = question.read_params(query, project, clock())
            loop = asyncio.get_running_loop()
            encoded = await loop.run_in_executor(
                threads, lambda: msgspec.json.encode(ask(store, question, params))
            )
            return json_response(msgspec.Raw(encoded), headers=_HEADERS)

        return endpoint

    async def bootstrap(request: Request) -> Response:
        project = await credentials.project_of_key(request.headers.get("x-clamp-key"))
        answer = Bootstrap(project.id, project.name, PLAN)
        return json_response(answer, headers=_HEADERS)

    async def openapi(_: Request) -> Response:
        return json_response(msgspec.Raw(encoded_document()))

    return [
        Route("/openapi.json", openapi),
        Route("/mcp/bootstrap", bootstrap),
        *(
            Route(f"/analytics/{{project_id}}{question.path}", answering(question))
            for question in QUESTIONS.values()
        ),
    ]


async def own_project(request: Request, credentials: Credentials) -> Project:
    """Return the project of a request's key, which is that of its path.

    Raises:
        UnauthorizedError: No key, an unknown key or a revoked one.
        ForbiddenError: The key is another project's.
    """
    project = await credentials.project_of_key(request.headers.get("x-clamp-key"))
    if project.id != request.path_params["project_id"]:
        raise ForbiddenError(
            f"x-clamp-key: the key belongs to project {project.id}, and not to that"
            " of the path"
        )
    return project
