"""Every answer in the exact shape that strict clients insist on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from tests.conftest import FilledStore
from tests.questions import shape
from tests.surfaces.everything import one_of_everything
from tests.surfaces.question_api import QuestionApi, opened_question_api

from clamp_server.questions.registry import QUESTIONS
from clamp_server.store.catalog import Catalog

Shape = Any
EVERY_SHAPE: list[tuple[str, Shape]] = [
    ("/overview", shape.Overview),
    ("/overview?period=yesterday&country=DE", shape.Overview),
    ("/timeseries", list[shape.Point]),
    ("/timeseries?metric=bounce_rate&granularity=hour", list[shape.Point]),
    ("/timeseries?event=signup&property=plan&value=pro", list[shape.Point]),
    ("/compare?metric=bounce_rate&a=7d&b=30d", shape.Compared),
    ("/compare?metric=avg_duration&a=today&b=yesterday", shape.Compared),
    ("/breakdown?dimension=pathname", list[shape.Share]),
    ("/breakdown?dimension=entry_page", list[shape.Share]),
    ("/breakdown?dimension=referrer_host", list[shape.HostShare]),
    ("/breakdown?dimension=city", list[shape.CityShare]),
    ("/session-paths", list[shape.SessionPath]),
    ("/session-paths?min_pages=2", list[shape.SessionPath]),
    ("/engagement", list[shape.PageViews]),
    ("/engagement?view=engagement", list[shape.PageReading]),
    ("/engagement?view=sections&pathname=/", list[shape.SectionViews]),
    ("/realtime", shape.Realtime),
    ("/realtime?window_minutes=60", shape.Realtime),
    ("/events", list[shape.EventTotal]),
    ("/events?compare=false", list[shape.EventTotal]),
    ("/events?compare=true&period=1d", list[shape.ComparedTotal]),
    ("/events?name=signup", list[shape.NamedCount]),
    ("/events?name=$pageview&compare=true", list[shape.NamedCount]),
    ("/events?name=signup&group_by=plan", list[shape.GroupCount]),
    (
        "/events?name=signup&group_by=seats&group_by_type=number",
        list[shape.GroupCount],
    ),
    (
        "/events?name=signup&group_by=trial&group_by_type=boolean",
        list[shape.GroupCount],
    ),
    ("/events?group_by=plan&compare=true", list[shape.GroupCount]),
    ("/events?name=$error&group_by=error.type", list[shape.GroupCount]),
    ("/events?property=plan&value=pro", list[shape.EventTotal]),
    ("/observed-schema", shape.ObservedSchema),
    ("/observed-schema?include_pageviews=true", shape.ObservedSchema),
    ("/property-values?event=signup&property=plan", shape.PropertyValues),
    ("/users/journey?anonymous_id=aid", shape.Journey),
    ("/errors", shape.Errors),
    ("/errors?handled=false&limit=1", shape.Errors),
    ("/errors/groups", shape.ErrorGroups),
    ("/errors/groups?sort_by=first_seen", shape.ErrorGroups),
    ("/errors/timeline", shape.ErrorTimeline),
    ("/errors/timeline?fingerprint=ab&interval=hour", shape.ErrorTimeline),
    (
        "/errors/context?anonymous_id=aid&before_timestamp=2026-03-10T12:01:00Z",
        shape.ErrorContext,
    ),
    ("/search/queries", list[shape.SearchQuery]),
    ("/search/landing-pages", list[shape.LandingPage]),
    ("/revenue", list[shape.Revenue]),
    ("/revenue?group_by=channel", list[shape.GroupedRevenue]),
    ("/revenue?group_by=product&property=total", list[shape.GroupedRevenue]),
    (
        "/revenue?group_by=channel&attribution_model=first_touch",
        list[shape.GroupedRevenue],
    ),
    (
        "/revenue?first_touch_dim=channel&first_touch_value=organic_search",
        list[shape.Revenue],
    ),
    ("/revenue/summary", shape.RevenueSummary),
    ("/revenue/summary?period=yesterday&country=DE", shape.RevenueSummary),
    ("/revenue/timeseries", list[shape.MoneyPoint]),
    ("/revenue/timeseries?metric=mrr&plan=pro", list[shape.MoneyPoint]),
    ("/revenue/timeseries?metric=customers&period=1d", list[shape.MoneyPoint]),
    ("/revenue/retention", shape.RevenueRetention),
    ("/revenue/retention?cohort_event=signup&windows=1d", shape.RevenueRetention),
]

NOT_IMPORTED = ("/search/queries", "/search/landing-pages")


@pytest.fixture(scope="module")
def api(module_store: FilledStore, module_catalog: Catalog) -> Iterator[QuestionApi]:
    """The API, and a project with one of everything in it."""
    with opened_question_api(module_store, module_catalog) as opened:
        module_store.add(*one_of_everything(opened.project_id))
        yield opened


@pytest.fixture(scope="module")
def empty_api(
    module_store: FilledStore, module_catalog: Catalog
) -> Iterator[QuestionApi]:
    """The same, and a project with nothing in it."""
    with opened_question_api(module_store, module_catalog) as opened:
        yield opened


def test_every_question_is_in_the_list() -> None:
    assert {path.partition("?")[0] for path, _ in EVERY_SHAPE} == {
        question.path for question in QUESTIONS.values()
    }


@pytest.mark.parametrize(("path", "expected"), EVERY_SHAPE)
def test_an_answer_has_its_fields_and_no_others(
    api: QuestionApi, path: str, expected: Shape
) -> None:
    answer = api.ask(path)

    assert answer.status_code == 200
    decoded = msgspec.json.decode(answer.content, type=expected)
    assert decoded or path in NOT_IMPORTED
    assert msgspec.to_builtins(decoded) == answer.json()


@pytest.mark.parametrize(("path", "expected"), EVERY_SHAPE)
def test_an_empty_project_has_answers_of_the_same_shape(
    empty_api: QuestionApi, path: str, expected: Shape
) -> None:
    answer = empty_api.ask(path)

    assert answer.status_code == 200
    decoded = msgspec.json.decode(answer.content, type=expected)
    assert msgspec.to_builtins(decoded) == answer.json()


def test_a_bootstrap_has_its_fields_and_no_others(api: QuestionApi) -> None:
    answer = api.get("/mcp/bootstrap")

    assert msgspec.json.decode(answer.content, type=shape.Bootstrap) == shape.Bootstrap(
        projectId=api.project_id, projectName="Shop", plan="self-hosted"
    )
