from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from tests.conftest import FilledStore
from tests.make import NOON, TODAY, event, view
from tests.questions.asking import SHOP, answer

from clamp_server.errors import InvalidRequestError
from clamp_server.model.event import Device, EnrichedEvent, Page, Place, Properties
from clamp_server.questions.engagement import engagement

MINUTE = timedelta(minutes=1)


def told(
    name: str, session: str, path: str = "/", at: datetime = NOON, **strings: Any
) -> EnrichedEvent:
    """Make what a browser tells of a page beside its view."""
    viewed = view(session, at, path, properties=Properties(strings=strings))
    return replace(viewed, name=name)


def left(session: str, path: str = "/", **strings: Any) -> EnrichedEvent:
    """Make the end of a page view."""
    return told("$pageview_end", session, path, **strings)


def saw(session: str, section: str, path: str = "/", **strings: Any) -> EnrichedEvent:
    """Make the sight of a section."""
    return told("$section_viewed", session, path, section=section, **strings)


def asked(store: FilledStore, query: str = "") -> Any:
    return answer(store, engagement, query)


@pytest.mark.parametrize("query", ["", "view=engagement", "view=sections&pathname=/"])
def test_an_empty_project_has_no_pages(store: FilledStore, query: str) -> None:
    assert asked(store, query) == []


def test_a_summary_has_the_most_viewed_pages_first(store: FilledStore) -> None:
    store.add(view("ann", path="/b"), view("ann", path="/b"), view("ann", path="/a"))
    store.add(view("ben", path="/ü"), view("ann", path="/ü"), left("ann", "/gone"))
    store.add(view("x", page=Page()), view("crawler", device=Device(device_type="bot")))

    assert [asked(store), asked(store, "limit=1")] == [
        [
            {"pathname": "/ü", "pageviews": 2, "visitors": 2},
            {"pathname": "/b", "pageviews": 2, "visitors": 1},
            {"pathname": "/a", "pageviews": 1, "visitors": 1},
        ],
        [{"pathname": "/ü", "pageviews": 2, "visitors": 2}],
    ]


def test_what_a_server_sends_is_not_read_in_a_browser(store: FilledStore) -> None:
    store.add(event("$pageview", page=Page(pathname="/api"), anonymous_id="ann"))

    assert [asked(store), asked(store, "view=engagement")] == [[], []]


def test_readings_tell_time_scrolling_and_bounces(store: FilledStore) -> None:
    store.add(view("ann", NOON - MINUTE, "/"), view("ann", path="/b"), view("ben"))
    store.add(left("ann", engagement_seconds="10", max_scroll_pct="25"))
    store.add(left("ben", engagement_seconds="15", max_scroll_pct="100"))
    store.add(left("ben", engagement_seconds="no", max_scroll_pct="49"))

    assert asked(store, "view=engagement") == [
        {
            "pathname": "/",
            "pageviews": 2,
            "visitors": 2,
            "avg_engagement_seconds": 12.5,
            "bounce_rate": 50.0,
            "avg_max_scroll": 58.0,
            "scroll_distribution": {
                "samples": 3,
                "pct_reached_25": 100.0,
                "pct_reached_50": 33.3,
                "pct_reached_75": 33.3,
                "pct_reached_100": 33.3,
            },
        },
        {
            "pathname": "/b",
            "pageviews": 1,
            "visitors": 1,
            "avg_engagement_seconds": None,
            "bounce_rate": None,
            "avg_max_scroll": None,
            "scroll_distribution": None,
        },
    ]


def test_a_page_that_was_only_left_in_the_period_has_no_reading(
    store: FilledStore,
) -> None:
    store.add(view("ann", TODAY - MINUTE), told("$pageview_end", "ann", at=TODAY))

    assert asked(store, "view=engagement&period=today") == []


def test_a_section_counts_once_a_session(store: FilledStore) -> None:
    store.add(view("ann"), view("ann"), view("ben"), view("ann", path="/b"))
    store.add(saw("ann", "hero"), saw("ann", "hero"), saw("ben", "hero"))
    store.add(saw("ann", "ünï"), saw("ann", "faq", "/b"), saw("ann", ""))

    assert asked(store, "view=sections&pathname=/") == [
        {"section": "hero", "views": 2, "view_rate": 66.7, "pageviews": 3},
        {"section": "ünï", "views": 1, "view_rate": 33.3, "pageviews": 3},
    ]


def test_a_section_is_on_the_page_that_its_event_names(store: FilledStore) -> None:
    store.add(view("ann"), saw("ann", "hero", "/next", pathname="/"))

    assert [
        asked(store, f"view=sections&pathname={path}") for path in ("/", "/next")
    ] == [[{"section": "hero", "views": 1, "view_rate": 100.0, "pageviews": 1}], []]


def test_sections_of_a_page_without_views_have_no_rate(store: FilledStore) -> None:
    store.add(saw("ann", "hero"))

    assert asked(store, "view=sections&pathname=/") == [
        {"section": "hero", "views": 1, "view_rate": None, "pageviews": 0}
    ]


def test_other_filters_narrow_sections_and_readings(store: FilledStore) -> None:
    german = Place(country="DE")
    store.add(view("ann", place=german), view("ben"), saw("ben", "hero"))
    store.add(replace(saw("ann", "faq"), place=german))

    assert [
        asked(store, "view=sections&pathname=/&country=DE"),
        [row["pageviews"] for row in asked(store, "view=engagement&country=DE")],
        [row["pageviews"] for row in asked(store, "country=FR")],
    ] == [[{"section": "faq", "views": 1, "view_rate": 100.0, "pageviews": 1}], [1], []]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (
            {"view": "sections"},
            "pathname: missing; view=sections is about one page and needs its path",
        ),
        (
            {"view": "scroll"},
            "view: must be summary, engagement, sections; got 'scroll'",
        ),
    ],
)
def test_a_bad_view_is_refused(query: dict[str, str], message: str) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        engagement.read_params(query, SHOP, NOON)

    assert refused.value.message == message
