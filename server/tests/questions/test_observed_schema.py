from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.conftest import FilledStore
from tests.make import NOON, TODAY, event, view
from tests.questions.asking import SHOP, answer

from clamp_server.errors import InvalidRequestError
from clamp_server.model.event import Bug, Device, Properties
from clamp_server.model.ids import ProjectId
from clamp_server.model.money import Money
from clamp_server.questions.observed_schema import observed_schema


def schema(store: FilledStore, query: str = "") -> Any:
    return answer(store, observed_schema, query)


def seen(type_: str, occurrences: int) -> dict[str, Any]:
    return {"type": type_, "occurrences": occurrences}


def test_an_empty_project_has_no_schema(store: FilledStore) -> None:
    assert schema(store) == {"period": "30d", "events": []}


def test_every_type_is_counted_under_its_key(store: FilledStore) -> None:
    every = Properties(
        strings={"plan": "pro"},
        numbers={"seats": 5.0},
        booleans={"trial": False},
        money={"total": Money(Decimal(29), "USD"), "tax": Money(Decimal(1), "EUR")},
    )
    store.add(event(properties=every), event(properties=every), event())

    assert schema(store, "period=7d") == {
        "period": "7d",
        "events": [
            {
                "name": "signup",
                "count": 3,
                "properties": {
                    "plan": [seen("string", 2)],
                    "seats": [seen("number", 2)],
                    "tax": [seen("money", 2)],
                    "total": [seen("money", 2)],
                    "trial": [seen("boolean", 2)],
                },
            }
        ],
    }


def test_two_types_under_one_key_show_drift(store: FilledStore) -> None:
    store.add(event(properties=Properties(strings={"seats": "5"})))
    store.add(event(properties=Properties(booleans={"seats": True})))
    for _ in range(2):
        store.add(event(properties=Properties(numbers={"seats": 5.0})))

    (signup,) = schema(store)["events"]

    # The most frequent first, equal ones in order of the alphabet.
    assert signup["properties"] == {
        "seats": [seen("number", 2), seen("boolean", 1), seen("string", 1)]
    }


def test_events_are_in_order_of_count_and_name(store: FilledStore) -> None:
    store.add(event("b"), event("a"), event("ü"), event("most"), event("most"))

    assert [row["name"] for row in schema(store)["events"]] == ["most", "a", "b", "ü"]


def test_keys_are_in_order_of_the_alphabet(store: FilledStore) -> None:
    keys = ("b", "a", "ü", "B", "a b", "key")
    store.add(event(properties=Properties(strings=dict.fromkeys(keys, ""))))

    (signup,) = schema(store)["events"]

    assert list(signup["properties"]) == ["B", "a", "a b", "b", "key", "ü"]


def test_events_of_the_system_are_added_when_asked_for(store: FilledStore) -> None:
    store.add(event(), view("ann"))
    signup = {"name": "signup", "count": 1, "properties": {}}
    pageview = {"name": "$pageview", "count": 1, "properties": {}}

    assert [
        schema(store)["events"],
        schema(store, "include_pageviews=false")["events"],
        schema(store, "include_pageviews=true")["events"],
    ] == [[signup], [signup], [pageview, signup]]


def test_an_error_shows_its_own_properties(store: FilledStore) -> None:
    bug = Bug(message="boom", type="ValueError", stack="line 1", handled=True)
    extra = Properties(strings={"webhook": "stripe"})
    store.add(event("$error", bug=bug, properties=extra))
    store.add(event("$error", bug=Bug(message="boom")))

    assert schema(store, "include_pageviews=true")["events"] == [
        {
            "name": "$error",
            "count": 2,
            "properties": {
                "error.handled": [seen("boolean", 2)],
                "error.message": [seen("string", 2)],
                "error.stack": [seen("string", 1)],
                "error.type": [seen("string", 1)],
                "webhook": [seen("string", 1)],
            },
        }
    ]


def test_what_bots_sent_has_a_schema_too(store: FilledStore) -> None:
    store.add(event(device=Device(device_type="bot")))

    assert [row["count"] for row in schema(store)["events"]] == [1]


def test_only_the_period_and_the_project_are_looked_at(store: FilledStore) -> None:
    store.add(event("old", TODAY - timedelta(hours=1)))
    store.add(event("future", NOON + timedelta(hours=1)))
    store.add(event("foreign", project_id=ProjectId("proj_other")))

    assert schema(store, "period=today")["events"] == []


def test_a_bad_flag_is_refused() -> None:
    with pytest.raises(InvalidRequestError) as refused:
        observed_schema.read_params({"include_pageviews": "1"}, SHOP, NOON)

    assert refused.value.message == ("include_pageviews: must be true, false; got '1'")
