"""Which visit money is that of: the last, or the first, of a visitor or a user."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from tests.conftest import FilledStore
from tests.make import NOON, event, view
from tests.questions.asking import SHOP, answer
from tests.questions.priced import paid

from clamp_server.model.event import Arrival, EnrichedEvent, Page, Place
from clamp_server.model.ids import ProjectId
from clamp_server.questions.revenue import revenue_list

DAY = timedelta(days=1)
FIRST = "group_by=channel&attribution_model=first_touch"


def amounts(store: FilledStore, query: str) -> list[tuple[str, str]]:
    """Return group and amount of every row."""
    rows = answer(store, revenue_list, query)
    return [(row["group_value"], row["amount"]) for row in rows]


def came(visitor: str, at: datetime, channel: str, **changes: Any) -> EnrichedEvent:
    """Make a page view that begins a session of its own."""
    arrival = Arrival(channel=channel)  # type: ignore[arg-type]  # kept loose here
    changed = {"anonymous_id": visitor, "session_id": channel, **changes}
    return view(visitor, at, arrival=arrival, **changed)


def identified(visitor: str, user: str, at: datetime = NOON) -> EnrichedEvent:
    return event("$identify", at, anonymous_id=visitor, user_id=user)


def test_money_of_a_server_is_that_of_the_visit_it_belongs_to(
    store: FilledStore,
) -> None:
    search = Arrival(channel="organic_search", referrer_host="google.com")
    store.add(paid("20", anonymous_id="ann"), paid("5", anonymous_id="ben"))
    store.add(view("ann", NOON - 2 * DAY, arrival=search))

    assert [
        amounts(store, "group_by=channel"),
        amounts(store, "group_by=referrer_host"),
        amounts(store, "group_by=plan&channel=organic_search"),
    ] == [
        [("organic_search", "20.00"), ("", "5.00")],
        [("google.com", "20.00"), ("", "5.00")],
        [("", "20.00")],
    ]


def test_first_touch_is_the_first_session_and_last_touch_the_latest(
    store: FilledStore,
) -> None:
    store.add(paid("20", anonymous_id="ann"), paid("5", anonymous_id="ben"))
    store.add(came("ann", NOON - DAY, "email"), came("ann", NOON - 90 * DAY, "paid"))

    assert [amounts(store, query) for query in (FIRST, "group_by=channel")] == [
        [("paid", "20.00"), ("", "5.00")],
        [("email", "20.00"), ("", "5.00")],
    ]


def test_first_touch_is_that_of_the_user_on_any_device(store: FilledStore) -> None:
    store.add(came("phone", NOON - 9 * DAY, "paid"))
    store.add(came("laptop", NOON - DAY, "email", user_id="ann"))
    store.add(event("$identify", NOON - DAY, anonymous_id="phone", user_id="ann"))
    store.add(paid("1", user_id="ann"), paid("2", anonymous_id="laptop"))
    store.add(paid("4", user_id="ann", anonymous_id="new"), paid("8", user_id="ben"))

    assert amounts(store, FIRST) == [("", "8.00"), ("paid", "7.00")]


@pytest.mark.parametrize(
    ("phone", "laptop", "expected"),
    [
        (-9 * DAY, -DAY, "laptop"),
        (timedelta(minutes=-30), timedelta(seconds=1), "phone"),
        (timedelta(minutes=-30, milliseconds=-1), timedelta(seconds=60), "laptop"),
        (-DAY, timedelta(seconds=60, milliseconds=1), "phone"),
        (timedelta(0), timedelta(minutes=-1), "phone"),
        (timedelta(seconds=61), DAY, ""),
    ],
)
def test_last_touch_of_a_user_is_of_the_device_that_the_rules_name(
    store: FilledStore, phone: timedelta, laptop: timedelta, expected: str
) -> None:
    for device, away in (("phone", phone), ("laptop", laptop)):
        host = Arrival(referrer_host=device)
        store.add(view(device, NOON + away, arrival=host))
    store.add(identified("phone", "ann", NOON - 20 * DAY))
    # Years later: when a visitor and a user were linked does not matter.
    store.add(identified("laptop", "ann", NOON + 800 * DAY), paid("1", user_id="ann"))

    narrowed = answer(store, revenue_list, f"referrer_host={expected or 'none'}")
    assert [
        amounts(store, "group_by=referrer_host"),
        [row["amount"] for row in narrowed],
    ] == [[(expected, "1.00")], ["1.00"] if expected else []]


def test_last_touch_of_a_user_is_the_same_in_any_order_of_arrival(
    store: FilledStore,
) -> None:
    told = [
        paid("1", user_id="ann"),
        identified("laptop", "ann"),
        came("laptop", NOON - DAY, "email"),
        identified("phone", "ann"),
        came("phone", NOON - 2 * DAY, "paid"),
    ]
    shops = [replace(SHOP, id=ProjectId(f"proj_{number}")) for number in range(3)]
    for shop, order in zip(shops, (told, told[::-1], told[2:] + told[:2]), strict=True):
        for one in order:
            store.add(msgspec.structs.replace(one, project_id=shop.id))

    assert [
        [row["group_value"] for row in answer(store, revenue_list, query, project=shop)]
        for shop in shops
        for query in ("group_by=channel", FIRST)
    ] == [["email"], ["paid"]] * 3


def test_last_touch_of_a_visitor_is_not_that_of_the_users_other_device(
    store: FilledStore,
) -> None:
    store.add(came("phone", NOON - DAY, "email", user_id="ann"))
    store.add(came("laptop", NOON - 2 * DAY, "paid", user_id="ann"))
    store.add(paid("1", anonymous_id="laptop", user_id="ann"))
    store.add(paid("2", anonymous_id="new", user_id="ann"))

    assert amounts(store, "group_by=channel") == [("", "2.00"), ("paid", "1.00")]


def test_a_visitor_of_two_users_is_a_last_touch_of_both(store: FilledStore) -> None:
    store.add(identified("shared", "ann"), identified("shared", "ben"))
    store.add(came("shared", NOON - DAY, "email"))
    store.add(paid("1", user_id="ann"), paid("2", user_id="ben"))
    store.add(paid("4", user_id="cleo"))

    assert amounts(store, "group_by=channel") == [("", "4.00"), ("email", "3.00")]


def test_last_touch_of_a_user_keeps_what_the_event_says_itself(
    store: FilledStore,
) -> None:
    store.add(came("phone", NOON, "email", user_id="ann", place=Place(country="DE")))
    store.add(paid("1", user_id="ann", arrival=Arrival(channel="paid")))

    assert [
        amounts(store, "group_by=channel"),
        amounts(store, "group_by=country"),
        amounts(store, "group_by=plan&country=DE&channel=paid"),
        amounts(store, "group_by=plan&country=DE&channel=email"),
    ] == [[("paid", "1.00")], [("DE", "1.00")], [("", "1.00")], []]


def test_a_visitor_of_two_users_pays_for_the_last_one(store: FilledStore) -> None:
    store.add(came("tablet", NOON - 9 * DAY, "paid", user_id="cleo"))
    store.add(came("shared", NOON - 5 * DAY, "email", user_id="ann"))
    store.add(event("$identify", NOON - DAY, anonymous_id="shared", user_id="cleo"))
    store.add(paid("1", anonymous_id="shared"))
    store.add(paid("2", at=NOON - 2 * DAY, anonymous_id="shared", user_id="ann"))

    assert amounts(store, FIRST) == [("email", "2.00"), ("paid", "1.00")]


@pytest.mark.parametrize(
    ("late", "expected"),
    [(timedelta(seconds=60), "paid"), (timedelta(seconds=60, milliseconds=1), "")],
)
def test_a_first_session_may_begin_a_minute_late(
    store: FilledStore, late: timedelta, expected: str
) -> None:
    store.add(paid("1", anonymous_id="ann", at=NOON - DAY))
    store.add(came("ann", NOON - DAY + late, "paid"))

    assert amounts(store, FIRST) == [(expected, "1.00")]


def test_a_first_touch_narrows_the_sum(store: FilledStore) -> None:
    store.add(paid("20", anonymous_id="ann"), paid("5", anonymous_id="ben"))
    store.add(came("ann", NOON - DAY, "email"), came("ann", NOON - 9 * DAY, "paid"))

    where = "first_touch_dim=channel&first_touch_value"
    assert [
        amounts(store, f"group_by=channel&{where}=paid"),
        amounts(store, f"{FIRST}&{where}=paid"),
        amounts(store, f"{FIRST}&{where}=email"),
    ] == [[("email", "20.00")], [("paid", "20.00")], []]


def test_a_first_touch_has_every_dimension(store: FilledStore) -> None:
    page = Page(utm_source="s", utm_medium="m", utm_campaign="c")
    page = msgspec.structs.replace(page, utm_content="n", utm_term="t")
    arrival = Arrival(channel="paid", referrer_host="r")
    store.add(view("ann", NOON - DAY, page=page, arrival=arrival))
    store.add(paid("1", anonymous_id="ann"))
    of = {"channel": "paid", "referrer_host": "r", "utm_source": "s"}
    of |= {"utm_medium": "m", "utm_campaign": "c", "utm_content": "n", "utm_term": "t"}

    narrowed = [
        f"first_touch_dim={name}&first_touch_value={value}"
        for name, value in of.items()
    ]
    assert [len(answer(store, revenue_list, query)) for query in narrowed] == [1] * 7
    assert [
        amounts(store, f"group_by={name}&attribution_model=first_touch")
        for name in [*of][:5]
    ] == [[(value, "1.00")] for value in [*of.values()][:5]]


def test_another_projects_links_and_sessions_are_no_touch(store: FilledStore) -> None:
    other = ProjectId("proj_other")
    store.add(came("ann", NOON - 9 * DAY, "paid", project_id=other))
    store.add(event("$identify", project_id=other, anonymous_id="x", user_id="ann"))
    store.add(came("x", NOON - DAY, "email"), paid("1", user_id="ann"))
    store.add(came("y", NOON - DAY, "email", project_id=other))
    store.add(identified("y", "ann"))

    assert [amounts(store, query) for query in (FIRST, "group_by=channel")] == [
        [("", "1.00")],
        [("", "1.00")],
    ]


def test_last_touch_may_be_named(store: FilledStore) -> None:
    store.add(paid("5", arrival=Arrival(channel="paid")))

    assert amounts(store, "group_by=channel&attribution_model=last_touch") == [
        ("paid", "5.00")
    ]
