from __future__ import annotations

import asyncio
from collections.abc import Iterator
from threading import Event, Lock

import pytest
from tests.conftest import FilledStore
from tests.make import NOON, event
from tests.surfaces.question_api import QuestionApi, opened_question_api

from clamp_server.api.question_routes import MOST_AT_ONCE
from clamp_server.model.ids import ProjectId
from clamp_server.questions.parameter import Text
from clamp_server.questions.registry import QUESTIONS
from clamp_server.store.catalog import Catalog
from clamp_server.store.on_duckdb import DuckDBStore
from clamp_server.store.sql import Row, Sql

PATHS = [question.path for question in QUESTIONS.values()]
each_path = pytest.mark.parametrize("path", PATHS)


@pytest.fixture
def api(catalog: Catalog) -> Iterator[QuestionApi]:
    """The API over one empty store, for what no engine has a say in."""
    store = DuckDBStore(None)
    with opened_question_api(store, catalog) as opened:
        yield opened
    store.close()


@pytest.fixture
def each_api(store: FilledStore, catalog: Catalog) -> Iterator[QuestionApi]:
    """The API over the store of each engine in turn."""
    with opened_question_api(store, catalog) as opened:
        yield opened


def test_a_key_tells_whose_it_is(api: QuestionApi) -> None:
    answer = api.get("/mcp/bootstrap")

    assert (answer.status_code, answer.json()) == (
        200,
        {
            "projectId": api.project_id,
            "projectName": "Shop",
            "plan": "self-hosted",
        },
    )


def test_an_answer_is_json_that_nobody_keeps(api: QuestionApi) -> None:
    answer = api.ask("/events")

    assert (answer.status_code, answer.content, dict(answer.headers)) == (
        200,
        b"[]",
        {
            "cache-control": "no-store",
            "content-length": "2",
            "content-type": "application/json",
        },
    )


@pytest.mark.parametrize("path", ["/mcp/bootstrap", *PATHS])
def test_without_a_good_key_nothing_is_told(api: QuestionApi, path: str) -> None:
    revoked = api.catalog.create_key(api.project_id)
    api.catalog.revoke_key(revoked.key.id)
    address = path if path == "/mcp/bootstrap" else api.path(path)
    bad = {"": "nothing", "sk_proj_" + "x" * 43: "an unknown key"}
    bad[revoked.api_key] = "a revoked key"

    for key, name in bad.items():
        answer = api.get(address, key=key)

        assert (answer.status_code, answer.json()["error"]) == (401, "unauthorized")
        assert answer.json()["message"].startswith(f"x-clamp-key: got {name};")
        assert not key or key not in answer.text


@each_path
def test_a_key_opens_its_own_project_only(api: QuestionApi, path: str) -> None:
    other = api.catalog.create_project("Other")

    answer = api.get(f"/analytics/{other.id}{path}")

    assert (answer.status_code, answer.json()) == (
        403,
        {
            "error": "forbidden",
            "message": (
                f"x-clamp-key: the key belongs to project {api.project_id}, and not"
                " to that of the path"
            ),
        },
    )


def test_a_question_is_about_the_project_of_the_key(
    each_api: QuestionApi, store: FilledStore
) -> None:
    store.add(event("ours", project_id=each_api.project_id))
    store.add(event("theirs", project_id=ProjectId("proj_other")))

    assert each_api.ask("/events").json() == [
        {"name": "ours", "count": 1, "visitors": 0}
    ]


def test_days_are_those_of_the_project(
    each_api: QuestionApi, store: FilledStore
) -> None:
    # At noon in UTC it is already tomorrow there.
    auckland = each_api.catalog.create_project("Kiosk", time_zone="Pacific/Auckland")
    key = each_api.catalog.create_key(auckland.id).api_key
    store.add(event("now", project_id=auckland.id, at=NOON))
    store.add(event("before", project_id=auckland.id, at=NOON.replace(hour=10)))

    answer = each_api.get(f"/analytics/{auckland.id}/events?period=today", key=key)

    assert [row["name"] for row in answer.json()] == ["now"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_a_question_is_only_got(api: QuestionApi, method: str) -> None:
    path = api.path("/events")

    answer = api.runner.run(api.request(method, path))

    allowed = set(answer.headers["allow"].split(", "))
    assert (allowed, answer.status_code, answer.json()) == (
        {"GET", "HEAD"},
        405,
        {
            "error": "method_not_allowed",
            "message": f"{method} {path}: method not allowed",
        },
    )


def test_no_browser_of_another_site_may_ask(api: QuestionApi) -> None:
    assert not [name for name in api.ask("/events").headers if "access-control" in name]


@pytest.mark.parametrize("path", ["/nothing", "/events/x", ""])
def test_an_unknown_question_is_not_found(api: QuestionApi, path: str) -> None:
    answer = api.ask(path)

    assert (answer.status_code, answer.json()["error"]) == (404, "not_found")


PERIOD_MESSAGE = (
    "period: must be today, yesterday, 1d to 365d, or YYYY-MM-DD:YYYY-MM-DD of at most"
    " 366 days, the first day first; got "
)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/events?period=400d", f"{PERIOD_MESSAGE}'400d'"),
        ("/errors?period=-1d", f"{PERIOD_MESSAGE}'-1d'"),
        ("/errors/groups?period=7", f"{PERIOD_MESSAGE}'7'"),
        (
            "/observed-schema?period=2026-03-02:2026-03-01",
            f"{PERIOD_MESSAGE}'2026-03-02:2026-03-01'",
        ),
        (
            "/revenue?period=2024-01-01:2025-01-01",
            f"{PERIOD_MESSAGE}'2024-01-01:2025-01-01'",
        ),
        ("/events?period=2026-02-30:2026-03-01", "period: there is no day 2026-02-30"),
        (
            "/events?period=9999-12-31:9999-12-31",
            "period: 9999-12-31 is outside the years 1970 to 2199",
        ),
        ("/events?limit=0", "limit: must be a whole number from 1 to 50; got '0'"),
        ("/revenue?limit=ten", "limit: must be a whole number from 1 to 50; got 'ten'"),
        ("/errors?limit=201", "limit: must be a whole number from 1 to 200; got '201'"),
        (
            "/realtime?window_minutes=61",
            "window_minutes: must be a whole number from 1 to 60; got '61'",
        ),
        ("/events?compare=1", "compare: must be true, false; got '1'"),
        ("/errors?handled=null", "handled: must be true, false; got 'null'"),
        (
            "/errors/groups?sort_by=fingerprint;DROP",
            "sort_by: must be count, users_affected, last_seen, first_seen;"
            " got 'fingerprint;DROP'",
        ),
        ("/events?property=plan", "value: missing; property needs it"),
        (
            "/revenue?first_touch_value=paid",
            "first_touch_dim: missing; first_touch_value needs it",
        ),
        ("/events?limit=1&limit=2", "limit: given more than once; give it once"),
        (
            "/events?city=" + "x" * 2_049,
            "city: must have at most 2048 characters; got 2049",
        ),
        (
            "/events?property=x&value=" + "x" * 2_049,
            "value: must have at most 2048 characters; got 2049",
        ),
        (
            "/events?country=DE&country=FR",
            "country: given more than once; give it once",
        ),
    ],
)
def test_a_bad_value_is_named_with_what_is_allowed(
    api: QuestionApi, path: str, message: str
) -> None:
    answer = api.ask(path)

    assert (answer.status_code, answer.json()) == (
        400,
        {"error": "invalid_request", "message": message},
    )


@each_path
def test_an_unknown_parameter_is_refused_with_those_that_are_known(
    api: QuestionApi, path: str
) -> None:
    (question,) = (q for q in QUESTIONS.values() if q.path == path)
    known = ", ".join(parameter.name for parameter in question.parameters)

    answer = api.ask(f"{path}?contry=DE")

    assert (answer.status_code, answer.json()) == (
        400,
        {
            "error": "invalid_request",
            "message": (
                f"contry: there is no such parameter here; allowed are {known}"
            ),
        },
    )


ODD_TEXTS = (
    *("", "%00", "%FF%FE", "%C3%A9" * 100),
    *("$project_id", "{start:String}", "'; DROP"),
)


@each_path
def test_an_odd_text_is_no_failure(each_api: QuestionApi, path: str) -> None:
    (question,) = (q for q in QUESTIONS.values() if q.path == path)
    texts = [p.name for p in question.parameters if isinstance(p, Text)]

    statuses = {
        text: each_api.ask(
            f"{path}?" + "&".join(f"{name}={text}" for name in texts)
        ).status_code
        for text in ODD_TEXTS
    }

    assert {
        t: status for t, status in statuses.items() if status not in (200, 400)
    } == {}


class HeldStore(FilledStore):
    """A store whose answers wait until a test lets them go."""

    def __init__(self, store: FilledStore) -> None:
        super().__init__(store)
        self.lock, self.full, self.released = Lock(), Event(), Event()
        self.running = self.most_running = 0

    def rows(self, sql: Sql) -> list[Row]:
        with self.lock:
            self.running += 1
            self.most_running = max(self.running, self.most_running)
            if self.running == MOST_AT_ONCE:
                self.full.set()
        assert self.released.wait(30)
        with self.lock:
            self.running -= 1
        return super().rows(sql)


def test_slow_questions_wait_for_one_another_and_hold_up_nothing_else(
    store: FilledStore, catalog: Catalog
) -> None:
    held = HeldStore(store)

    async def ask_many(api: QuestionApi) -> list[int]:
        path = api.path("/events")
        asked = [asyncio.create_task(api.request("GET", path)) for _ in range(10)]
        assert await asyncio.to_thread(held.full.wait, 30)
        bootstrap = await api.request("GET", "/mcp/bootstrap")
        held.released.set()
        answers = [bootstrap, *[await task for task in asked]]
        return [answer.status_code for answer in answers]

    with opened_question_api(held, catalog) as api:
        statuses = api.runner.run(ask_many(api))

    assert (statuses, held.most_running) == ([200] * 11, MOST_AT_ONCE)


def test_a_store_that_is_gone_is_said_without_its_words(catalog: Catalog) -> None:
    gone = DuckDBStore(None)
    gone.close()

    with opened_question_api(gone, catalog) as api:
        answer = api.ask("/events")

    assert (answer.status_code, answer.json()["error"]) == (503, "store_unavailable")
    assert answer.headers["retry-after"] == "5"
    assert "SELECT" not in answer.text
