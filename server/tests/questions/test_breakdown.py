from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.conftest import FilledStore
from tests.make import NOON, TODAY, event, view
from tests.questions.asking import SHOP, answer

from clamp_server.errors import InvalidRequestError
from clamp_server.model.dimension import DIMENSIONS
from clamp_server.model.event import Arrival, Device, Page, Place
from clamp_server.questions.breakdown import breakdown

MINUTE = timedelta(minutes=1)
NAMES = {d: d for d in DIMENSIONS} | {"channel": "email", "device_type": "tablet"}


def shares(store: FilledStore, dimension: str, query: str = "period=today") -> Any:
    """Return name, page views and visitors of each row."""
    found = answer(store, breakdown, f"dimension={dimension}&{query}")
    return [(row["name"], row["pageviews"], row["visitors"]) for row in found]


def of(part: type[Any], **changes: str) -> Any:
    """Make a part of an event whose every dimension has its own name for a value."""
    fields = set(part.__struct_fields__) & set(DIMENSIONS)
    return part(**({name: NAMES[name] for name in fields} | changes))


@pytest.mark.parametrize("dimension", [*DIMENSIONS, "entry_page", "exit_page"])
def test_an_empty_project_has_no_shares(store: FilledStore, dimension: str) -> None:
    assert shares(store, dimension) == []


@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_each_dimension_tells_its_values_and_not_the_empty_one(
    store: FilledStore, dimension: str
) -> None:
    known: dict[str, Any] = {
        "page": of(Page),
        "arrival": of(Arrival),
        "place": of(Place),
    }
    unknown: dict[str, Any] = {"page": Page(), "arrival": Arrival(), "device": Device()}
    store.add(view("ann", device=of(Device), **known), view("ben", **unknown))
    # What a server tells of Ann has the values of her session.
    store.add(event("signup", anonymous_id="ann"))

    assert shares(store, dimension) == [(NAMES[dimension], 1, 1)]


def test_most_visitors_come_first_then_most_views_then_names(
    store: FilledStore,
) -> None:
    store.add(view("ann", path="/b"), view("ben", path="/b"), view("ann", path="/ü"))
    store.add(view("ann", path="/c"), view("ann", path="/c"), view("ann", path="/a"))

    assert [
        shares(store, "pathname"),
        shares(store, "pathname", "period=today&limit=2"),
    ] == [
        [("/b", 2, 2), ("/c", 2, 1), ("/a", 1, 1), ("/ü", 1, 1)],
        [("/b", 2, 2), ("/c", 2, 1)],
    ]


def test_a_visitor_who_only_does_something_is_a_visitor(store: FilledStore) -> None:
    german = Place(country="DE")
    store.add(event("signup", sent_by="browser", anonymous_id="ann", place=german))

    assert shares(store, "country") == [("DE", 0, 1)]


def test_a_host_has_its_usual_channel_and_a_city_its_country(
    store: FilledStore,
) -> None:
    def came(visitor: str, channel: Any, city: str, country: str) -> Any:
        arrival = Arrival(referrer_host="google.com", channel=channel)
        return view(visitor, arrival=arrival, place=Place(city=city, country=country))

    store.add(came("ann", "paid", "Paris", "US"), came("ben", "paid", "Paris", "FR"))
    store.add(came("cleo", "organic_search", "Paris", "FR"), came("dan", "", "Ulm", ""))

    assert [
        answer(store, breakdown, f"dimension={d}") for d in ("referrer_host", "city")
    ] == [
        [{"name": "google.com", "pageviews": 4, "visitors": 4, "channel": "paid"}],
        [
            {"name": "Paris", "pageviews": 3, "visitors": 3, "country": "FR"},
            {"name": "Ulm", "pageviews": 1, "visitors": 1},
        ],
    ]


def test_entries_and_exits_are_those_of_whole_sessions(store: FilledStore) -> None:
    store.add(view("ann", TODAY - MINUTE, "/"), view("ann", NOON, "/cart"))
    store.add(view("ann", NOON, "/buy"), view("ben", path="/cart"))
    store.add(event("signup", sent_by="browser", session_id="silent"))

    # Ann entered yesterday; her page views of today are two.
    assert [shares(store, "entry_page"), shares(store, "exit_page")] == [
        [("/", 2, 1), ("/cart", 1, 1)],
        [("/cart", 3, 2)],
    ]


def test_filters_and_bots_are_as_everywhere_in_traffic(store: FilledStore) -> None:
    bot = Device(device_type="bot")
    german = Place(country="DE")
    store.add(view("ann", place=german), view("crawler", device=bot, place=german))
    store.add(view("ben", path="/x"))

    assert [
        shares(store, dimension, query)
        for dimension in ("pathname", "entry_page")
        for query in ("period=today&country=DE", "period=today&device_type=bot")
    ] == [[("/", 1, 1)]] * 4


def test_a_dimension_is_needed() -> None:
    with pytest.raises(InvalidRequestError) as refused:
        breakdown.read_params({}, SHOP, NOON)

    assert refused.value.message == (
        f"dimension: must be {', '.join(DIMENSIONS)}, entry_page, exit_page; got ''"
    )
