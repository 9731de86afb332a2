"""The pages of a project: its figures, its bugs, its events as they arrive."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import datetime
from zoneinfo import ZoneInfo

import anyio
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import (
    HTMLResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)

from clamp_server.clock import Clock
from clamp_server.errors import NotFoundError, StoreUnavailableError
from clamp_server.model.ids import ProjectId
from clamp_server.model.period import Period
from clamp_server.model.project import Project, WebSession
from clamp_server.model.scope import Scope
from clamp_server.questions import live
from clamp_server.questions.live import Bugs, Since
from clamp_server.store.catalog import Catalog
from clamp_server.store.sql import EventStore
from clamp_server.web.event_view import event_view
from clamp_server.web.figures import CHOICE, PERIODS, PeriodWord, figures
from clamp_server.web.session import Sessions
from clamp_server.web.stream import Arrivals, Live, encode_data
from clamp_server.web.template import render

# What is above the fold and a little more; these lines weigh 16 KB.
SHOWN_EVENTS = 20
SHOWN_NAMES = 10
# Each page asks seven questions, and each question takes every core: a crowd of
# viewers must leave the processor to the events that arrive meanwhile.
PAGES_AT_ONCE = 2

_PLACE = re.compile("[0-9]{1,18}")


class ProjectPages:
    """The pages that show events.

    Args:
        public_url: Where people reach the server; None shows them the address
            that they came by.
    """

    def __init__(
        self,
        store: EventStore,
        catalog: Catalog,
        clock: Clock,
        sessions: Sessions,
        live_events: Live,
        public_url: str | None,
    ) -> None:
        self._store = store
        self._sessions = sessions
        self._catalog = catalog
        self._clock = clock
        self._live = live_events
        self._public_url = public_url
        self._at_once = anyio.CapacityLimiter(PAGES_AT_ONCE)

    async def home(self, _: Request, session: WebSession) -> Response:
        """`GET /`: the projects, or the only one."""
        projects = await run_in_threadpool(self._catalog.projects)
        if len(projects) == 1:
            return RedirectResponse(f"/p/{projects[0].id}", status_code=303)
        return HTMLResponse(render("projects.html", projects=projects))

    async def show(self, request: Request, session: WebSession) -> Response:
        """`GET /p/{project_id}`."""
        word = CHOICE.read(request.query_params)
        endpoint = (self._public_url or str(request.base_url)).rstrip("/")
        return HTMLResponse(
            await anyio.to_thread.run_sync(
                self._page,
                request.path_params["project_id"],
                session,
                word,
                endpoint,
                limiter=self._at_once,
            )
        )

    def _page(
        self, project_id: ProjectId, session: WebSession, word: PeriodWord, url: str
    ) -> str:
        projects = self._catalog.projects()
        project = _one(projects, project_id)
        around = _around(project, projects, session)
        since = Since(project_id=project.id, limit=SHOWN_EVENTS)
        events = live.events.ask(self._store, since)
        if not events:
            return render("empty.html", endpoint=url, **around)
        now, zone = self._clock(), ZoneInfo(project.time_zone)
        return render(
            "project.html",
            period=word,
            periods=PERIODS,
            period_name=dict(PERIODS)[word],
            figures=figures(self._store, project, word, now),
            shown_names=SHOWN_NAMES,
            seq=events[0].seq,
            events=[event_view(event, zone) for event in events],
            now=now,
            local_time=f"{now.astimezone(zone):%H:%M:%S}",
            **around,
        )

    async def bug(self, request: Request, session: WebSession) -> Response:
        """`GET /p/{project_id}/errors/{fingerprint}`."""
        return HTMLResponse(
            await anyio.to_thread.run_sync(
                self._bug_page,
                request.path_params["project_id"],
                session,
                request.path_params["fingerprint"],
                limiter=self._at_once,
            )
        )

    def _bug_page(
        self, project_id: ProjectId, session: WebSession, fingerprint: str
    ) -> str:
        projects = self._catalog.projects()
        project = _one(projects, project_id)
        scope = Scope(project_id=project.id, period=_ALL_TIME)
        bugs = Bugs(scope, (fingerprint,))
        found = live.last_occurrences.ask(self._store, bugs).get(fingerprint)
        if found is None:
            raise NotFoundError("no error has this fingerprint")
        return render(
            "bug.html",
            last=found,
            event=event_view(found.event, ZoneInfo(project.time_zone)),
            **_around(project, projects, session),
        )

    async def stream(self, request: Request, _: WebSession) -> Response:
        """`GET /p/{project_id}/stream`: server-sent events."""
        projects = await run_in_threadpool(self._catalog.projects)
        project = _one(projects, request.path_params["project_id"])
        if self._live.is_full:
            raise StoreUnavailableError(
                "too many people are looking; try again in a minute", retry_after_s=60
            )
        # A browser that comes back knows better than the address of its page.
        after = request.query_params.get("after", "")
        place = request.headers.get("last-event-id") or after
        return StreamingResponse(
            self._messages(
                request, project, int(place) if _PLACE.fullmatch(place) else 0
            ),
            media_type="text/event-stream",
            # nginx would hold the events back until it has a few kilobytes.
            headers={"x-accel-buffering": "no"},
        )

    async def _messages(
        self, request: Request, project: Project, after: int
    ) -> AsyncIterator[str]:
        yield "retry: 2000\n\n"
        async for arrivals in self._live.arrivals(project, after):
            # Whoever signed out, or was removed, meanwhile sees nothing more.
            if await self._sessions.session(request) is None:
                return
            yield ": nothing new\n\n" if arrivals is None else _message(arrivals)


_ALL_TIME = Period(
    "all",
    datetime.fromisoformat("1970-01-01T00:00Z"),
    datetime.fromisoformat("2200-01-01T00:00Z"),
)


def _message(arrivals: Arrivals) -> str:
    lines = [line.data for line in arrivals.lines]
    if arrivals.has_gap:
        lines.append(encode_data(render("gap.html")))
    return "\n".join([f"id: {arrivals.lines[0].seq}", *lines, "", ""])


def _one(projects: list[Project], project_id: str) -> Project:
    for project in projects:
        if project.id == project_id:
            return project
    raise NotFoundError("there is no such project; the start page lists them")


def _around(
    project: Project, projects: list[Project], session: WebSession
) -> dict[str, object]:
    email = session.user.email if session.user else ""
    return {"project": project, "projects": projects, "email": email}
