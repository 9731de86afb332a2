from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.conftest import FilledStore
from tests.make import NOON, event, view
from tests.questions.asking import SHOP, answer

from clamp_server.errors import InvalidRequestError
from clamp_server.model.event import Arrival, Device, Place
from clamp_server.model.ids import ProjectId
from clamp_server.questions.traffic import realtime

MINUTE = timedelta(minutes=1)


def now(store: FilledStore, query: str = "") -> Any:
    return answer(store, realtime, query)


def test_an_empty_project_has_nobody_here(store: FilledStore) -> None:
    assert now(store) == {
        "window_minutes": 5,
        "visitors": 0,
        "pageviews": 0,
        "top_pages": [],
        "top_sources": [],
        "top_countries": [],
    }


def test_visitors_views_and_where_they_come_from(store: FilledStore) -> None:
    german, search = Place(country="DE"), Arrival(referrer_host="google.com")
    store.add(view("ann", path="/", place=german, arrival=search))
    store.add(view("ann", path="/cart", place=german), view("ann", path="/cart"))
    store.add(view("ben", path="/cart", place=Place(country="日本")))
    store.add(event("signup", anonymous_id="cleo", place=german), event("cron"))

    assert now(store) == {
        "window_minutes": 5,
        "visitors": 3,
        "pageviews": 4,
        "top_pages": [
            {"name": "/cart", "pageviews": 3, "visitors": 2},
            {"name": "/", "pageviews": 1, "visitors": 1},
        ],
        "top_sources": [{"name": "google.com", "visitors": 1}],
        "top_countries": [
            {"name": "DE", "visitors": 2},
            {"name": "日本", "visitors": 1},
        ],
    }


def test_the_window_ends_now(store: FilledStore) -> None:
    store.add(view("here", NOON - 4 * MINUTE), view("left", NOON - 5 * MINUTE))
    store.add(view("gone", NOON - 61 * MINUTE), view("early", NOON + MINUTE))

    assert [
        (found["window_minutes"], found["visitors"])
        for found in (now(store, f"window_minutes={n}") for n in (1, 5, 6, 60))
    ] == [(1, 0), (5, 1), (6, 2), (60, 2)]


def test_bots_are_not_visitors(store: FilledStore) -> None:
    bot = Device(device_type="bot")
    store.add(view("crawler", device=bot, place=Place(country="US")), view("ann"))

    found = now(store)

    assert [found["visitors"], found["pageviews"], found["top_countries"]] == [1, 1, []]


def test_only_ten_are_at_the_top_and_ties_go_by_views_and_name(
    store: FilledStore,
) -> None:
    store.add(*(view("ann", path=f"/{n:02}") for n in range(12)))
    store.add(view("ann", path="/11"), view("ben", path="/10"))

    assert [row["name"] for row in now(store)["top_pages"]] == [
        "/10",
        "/11",
        *(f"/{n:02}" for n in range(8)),
    ]


def test_other_projects_are_not_here(store: FilledStore) -> None:
    store.add(view("ann", project_id=ProjectId("proj_other")))

    assert now(store)["visitors"] == 0


@pytest.mark.parametrize("minutes", ["0", "61", "-1", "5.0", "five", "1e1", "²", " 5"])
def test_a_window_is_at_most_an_hour(minutes: str) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        realtime.read_params({"window_minutes": minutes}, SHOP, NOON)

    assert refused.value.message == (
        f"window_minutes: must be a whole number from 1 to 60; got {minutes!r}"
    )
