from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.conftest import FilledStore
from tests.make import NOON, TODAY, event, view
from tests.questions.asking import SHOP, answer

from clamp_server.errors import InvalidRequestError
from clamp_server.model.event import Bug, EnrichedEvent, Properties
from clamp_server.questions.property_values import property_values


def signup(plan: str, **changes: Any) -> EnrichedEvent:
    return event("signup", properties=Properties(strings={"plan": plan}), **changes)


def values(
    store: FilledStore, rest: str = "", *, event: str = "signup", key: str = "plan"
) -> list[tuple[str, int]]:
    query = f"event={event}&property={key}&{rest}".rstrip("&")
    found = answer(store, property_values, query)
    return [(row["value"], row["count"]) for row in found["values"]]


def test_an_empty_project_has_no_values(store: FilledStore) -> None:
    assert answer(store, property_values, "event=signup&property=plan") == {
        "event": "signup",
        "property": "plan",
        "period": "30d",
        "values": [],
    }


def test_the_most_frequent_value_is_first_and_ties_are_in_order(
    store: FilledStore,
) -> None:
    store.add(*(signup(plan) for plan in ("pro", "ünï 🛒", "", "Pro", "pro")))

    asked = "event=signup&property=plan&period=today"

    assert answer(store, property_values, asked) == {
        "event": "signup",
        "property": "plan",
        "period": "today",
        "values": [
            {"value": "pro", "count": 2},
            {"value": "", "count": 1},
            {"value": "Pro", "count": 1},
            {"value": "ünï 🛒", "count": 1},
        ],
    }


def test_only_texts_of_that_event_in_the_period_count(store: FilledStore) -> None:
    number = Properties(numbers={"plan": 5.0}, booleans={"plan": True})
    store.add(
        signup("now"),
        signup("midnight", at=TODAY),
        signup("before", at=TODAY - timedelta(milliseconds=1)),
        event("login", properties=Properties(strings={"plan": "other event"})),
        event("signup", properties=number),
        event("signup", properties=Properties(strings={"other": "key"})),
        event("signup"),
    )

    assert values(store, "period=today") == [("midnight", 1), ("now", 1)]


def test_events_that_clamp_defines_have_values_too(store: FilledStore) -> None:
    seen = Properties(strings={"section": "hero"})
    store.add(event("$section_viewed", properties=seen), view("ann"))
    store.add(event("$error", bug=Bug(message="boom")), event("$error"))

    assert values(store, event="$section_viewed", key="section") == [("hero", 1)]
    assert values(store, event="$error", key="error.message") == [("boom", 1)]


def test_a_limit_keeps_the_first(store: FilledStore) -> None:
    store.add(*(signup(f"{n:02}") for n in range(60)))

    assert [
        values(store, "limit=2"),
        len(values(store)),
        len(values(store, "limit=200")),
    ] == [[("00", 1), ("01", 1)], 50, 60]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"property": "plan"}, "event: missing; must be an event's name"),
        (
            {"event": "signup", "property": ""},
            "property: missing; must be a text property's key",
        ),
        (
            {"event": "signup", "property": "plan", "limit": "201"},
            "limit: must be a whole number from 1 to 200; got '201'",
        ),
    ],
)
def test_a_bad_parameter_is_refused(query: dict[str, str], message: str) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        property_values.read_params(query, SHOP, NOON)

    assert refused.value.message == message
