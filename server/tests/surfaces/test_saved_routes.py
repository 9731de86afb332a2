"""Funnels, cohorts and alerts over HTTP, on both engines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import httpx
import pytest
from tests.conftest import FilledStore
from tests.make import NOON, event, view
from tests.surfaces.question_api import QuestionApi, opened_question_api

from clamp_server.api import saved_routes
from clamp_server.api.credential import Credentials
from clamp_server.questions.saved_registry import SAVED
from clamp_server.store.catalog import Catalog
from clamp_server.store.on_duckdb import DuckDBStore
from clamp_server.store.sql import EventStore

STEPS = ["pageview:/", "signup"]
ALERT = {"metric": "visitors", "condition": "drops_by", "threshold": 20}


class SavedApi:
    """The routes, and requests that bring the project's key."""

    def __init__(self, api: QuestionApi, store: EventStore) -> None:
        self.api = api
        routes = saved_routes.routes(
            store, api.catalog, Credentials(api.catalog.snapshot), clock=lambda: NOON
        )
        api.app.router.routes.extend(routes)

    def send(
        self, method: str, path: str, body: Any = None, **options: Any
    ) -> httpx.Response:
        async def sent() -> httpx.Response:
            transport = httpx.ASGITransport(self.api.app, raise_app_exceptions=False)
            headers = {"x-clamp-key": self.api.new_key.api_key}
            async with httpx.AsyncClient(
                transport=transport, base_url="http://clamp.test", headers=headers
            ) as client:
                given = options or ({} if body is None else {"json": body})
                return await client.request(method, self.api.path(path), **given)

        return self.api.runner.run(sent())


@pytest.fixture
def each_api(store: FilledStore, catalog: Catalog) -> Iterator[SavedApi]:
    with opened_question_api(store, catalog) as opened:
        yield SavedApi(opened, store)


@pytest.fixture
def api(catalog: Catalog) -> Iterator[SavedApi]:
    """The routes over one empty store, for what no engine has a say in."""
    store = DuckDBStore(None)
    with opened_question_api(store, catalog) as opened:
        yield SavedApi(opened, store)
    store.close()


def test_a_funnel_is_made_asked_for_and_deleted(
    each_api: SavedApi, store: FilledStore
) -> None:
    project_id = each_api.api.project_id
    store.add(view("ann", project_id=project_id), view("ben", project_id=project_id))
    store.add(event(anonymous_id="ann", project_id=project_id))

    made = each_api.send("POST", "/funnels", {"name": "Check out", "steps": STEPS})
    one = each_api.send("GET", "/funnels?name=Check+out&country=DE&period=7d")
    deleted = each_api.send("DELETE", "/funnels/Check%20out")
    gone = each_api.send("GET", "/funnels?name=Check+out")

    assert (made.status_code, made.json()) == (
        200,
        {
            "id": made.json()["id"],
            "name": "Check out",
            "steps": [
                {"name": "pageview:/", "count": 2, "rate": "100.0%"},
                {"name": "signup", "count": 1, "rate": "50.0%"},
            ],
            "overall_conversion": "50.0%",
            "period": "30d",
        },
    )
    assert [step["count"] for step in one.json()["steps"]] == [0, 0]
    assert (deleted.status_code, deleted.json()) == (200, {"ok": True})
    assert (gone.status_code, gone.json()) == (
        404,
        {
            "error": "not_found",
            "message": "name: there is no funnel 'Check out' in this project",
        },
    )


def test_one_more_than_a_project_can_save_is_refused(api: SavedApi) -> None:
    made = [api.send("POST", "/alerts", ALERT).status_code for _ in range(51)]

    refused = api.send("POST", "/alerts", ALERT)
    assert made == [*[200] * 50, 400]
    assert refused.json() == {
        "error": "invalid_request",
        "message": "alerts: a project can save 50, and this one has;"
        " delete one that nobody needs",
    }


def test_an_alert_is_made_listed_and_deleted(api: SavedApi) -> None:
    made = api.send("POST", "/alerts", ALERT)
    listed = api.send("GET", "/alerts")
    deleted = api.send("DELETE", f"/alerts/{made.json()['id']}")

    id_ = made.json()["id"]
    assert (made.status_code, made.json(), str(UUID(id_))) == (
        200,
        {
            "id": id_,
            **ALERT,
            "period": "7d",
            "pathname": None,
            "created_at": "2026-03-10T12:00:00.000Z",
        },
        id_,
    )
    assert (listed.json(), deleted.json()) == ([made.json()], {"ok": True})
    assert api.send("GET", "/alerts").json() == []


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/funnels", {"name": "f", "steps": STEPS}),
        ("/cohorts", {"name": "c", "definition": {"event": "a", "period": "7d"}}),
    ],
)
def test_what_cannot_be_answered_just_now_is_not_saved_either(
    catalog: Catalog, path: str, body: dict[str, Any]
) -> None:
    gone = DuckDBStore(None)
    gone.close()
    with opened_question_api(gone, catalog) as opened:
        api = SavedApi(opened, gone)
        answer = api.send("POST", path, body)
        project_id = opened.project_id

    assert answer.status_code == 503
    assert (catalog.funnels(project_id), catalog.cohorts(project_id)) == ([], [])


def test_a_name_that_exists_is_a_conflict(api: SavedApi) -> None:
    body = {"name": "f", "steps": STEPS}
    api.send("POST", "/funnels", body)

    answer = api.send("POST", "/funnels", body)

    assert (answer.status_code, answer.json()) == (
        409,
        {
            "error": "conflict",
            "message": (
                "name: there is a funnel 'f' already; delete that one or choose"
                " another name"
            ),
        },
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"metric": "money"},
            "metric: Invalid enum value 'money'; must be pageviews, visitors,"
            " sessions, bounce_rate, avg_duration",
        ),
        (
            {"condition": "is"},
            "condition: Invalid enum value 'is'; must be above, below, drops_by,"
            " increases_by",
        ),
        (
            {"threshold": "20"},
            "threshold: Expected float, got str; must be a number",
        ),
        (
            {"period": "400d"},
            "period: must be today, yesterday, 1d to 365d, or YYYY-MM-DD:YYYY-MM-DD of"
            " at most 366 days, the first day first; got '400d'",
        ),
        (
            {"pathname": "/" * 2049},
            "pathname: must be a path of at most 2048 characters, or null; got 2049",
        ),
    ],
)
def test_a_bad_alert_is_refused_with_what_is_allowed(
    api: SavedApi, changes: dict[str, Any], message: str
) -> None:
    answer = api.send("POST", "/alerts", ALERT | changes)

    assert (answer.status_code, answer.json()) == (
        400,
        {"error": "invalid_request", "message": message},
    )


@pytest.mark.parametrize("content", [b"", b"{", b"\xff"])
def test_what_is_no_json_is_refused(api: SavedApi, content: bytes) -> None:
    answer = api.send("POST", "/funnels", content=content)

    assert (answer.status_code, answer.json()) == (
        400,
        {
            "error": "invalid_request",
            "message": "body: must be a JSON object with name, steps",
        },
    )


def test_a_threshold_that_no_float_holds_is_refused(api: SavedApi) -> None:
    content = b'{"metric": "visitors", "condition": "above", "threshold": 1e999}'

    answer = api.send("POST", "/alerts", content=content)

    assert (answer.status_code, answer.json()["message"]) == (
        400,
        "threshold: Number out of range; must be a number",
    )


def test_a_body_over_the_limit_is_too_large(api: SavedApi) -> None:
    answer = api.send("POST", "/funnels", content=b" " * 65_537)

    assert (answer.status_code, answer.json()["error"]) == (413, "body_too_large")


@pytest.mark.parametrize("entry", SAVED.values(), ids=SAVED)
def test_nothing_is_done_without_a_key_or_with_another_projects(
    api: SavedApi, entry: Any
) -> None:
    other = api.api.catalog.create_project("Other")
    key = api.api.catalog.create_key(other.id).api_key

    answers = [
        api.send(entry.method, entry.path, headers={"x-clamp-key": given})
        for given in ("", key)
    ]

    assert [(answer.status_code, answer.json()["error"]) for answer in answers] == [
        (401, "unauthorized"),
        (403, "forbidden"),
    ]


@pytest.mark.parametrize("entry", SAVED.values(), ids=SAVED)
def test_an_unknown_parameter_is_refused(api: SavedApi, entry: Any) -> None:
    answer = api.send(entry.method, f"{entry.path}?contry=DE")

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert answer.json()["message"].startswith("contry: there is no such parameter")
