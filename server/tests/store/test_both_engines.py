"""The same events in, the same rows out, whichever engine keeps them."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from tests.conftest import FilledStore
from tests.make import NOON, PROJECT, event, view

from clamp_server.model.event import Properties
from clamp_server.model.money import Money
from clamp_server.store.sql import Sql


def test_values_come_back_with_their_types(store: FilledStore) -> None:
    store.add(
        event(
            properties=Properties(
                strings={"plan": "5"},
                numbers={"seats": 5.0},
                booleans={"trial": True},
                money={"total": Money(Decimal("29.10"), "USD")},
            )
        )
    )

    assert store.rows(
        Sql(
            "SELECT occurred_at, strings, numbers, booleans, money_amounts,"
            " money_currencies, error_handled FROM events WHERE project_id = $project",
            {"project": PROJECT},
        )
    ) == [
        {
            "occurred_at": NOON,
            "strings": {"plan": "5"},
            "numbers": {"seats": 5.0},
            "booleans": {"trial": True},
            "money_amounts": {"total": Decimal("29.1")},
            "money_currencies": {"total": "USD"},
            "error_handled": False,
        }
    ]


def test_events_are_counted_by_name(store: FilledStore) -> None:
    store.add(view("one"), view("one", NOON + timedelta(seconds=30)), event())

    assert store.rows(
        Sql("SELECT name, count(*) AS events FROM events GROUP BY name ORDER BY name")
    ) == [{"name": "$pageview", "events": 2}, {"name": "signup", "events": 1}]


def test_blank_lines_and_odd_text_come_back_as_they_are(store: FilledStore) -> None:
    text = "Traceback\n\n\n  at 'x'\\t\ttab\r\n\0 ünï 🛒"
    store.add(event(name=text, properties=Properties(strings={text: text})))

    assert store.rows(Sql("SELECT name, strings FROM events")) == [
        {"name": text, "strings": {text: text}}
    ]
