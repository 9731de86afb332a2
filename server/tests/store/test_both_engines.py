"""The same events in, the same rows out, whichever engine keeps them."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from tests.conftest import FilledStore
from tests.make import NOON, PROJECT, TODAY, event, view

from clamp_server.model.event import Properties
from clamp_server.model.money import Money
from clamp_server.store.sql import Row, Sql, Value


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


MINUTE = timedelta(minutes=1)
BUYS = [
    event(
        "buy",
        NOON + number * MINUTE,
        anonymous_id=f"visitor {number % 2}",
        properties=Properties(
            strings={"plan": "pro"} if number else {},
            numbers={"seats": number * 0.5},
            booleans={"trial": number == 1},
            money={"total": Money(Decimal(number + 1) / 10, "USD")},
        ),
    )
    for number in range(4)
]
EVENTS = [*BUYS, view("visitor 0", TODAY - MINUTE)]

# Every kind of statement that questions are made of. The rows are the same to
# the type: see `typed`.
SHAPES: dict[str, tuple[Sql, list[Row]]] = {
    "aggregates with filters": (
        Sql(
            """
            SELECT name, count(*) AS events,
                   count(*) FILTER (WHERE numbers['seats'] >= 1) AS large,
                   count(DISTINCT anonymous_id) AS visitors
            FROM events GROUP BY name ORDER BY name
            """
        ),
        [
            {"name": "$pageview", "events": 1, "large": 0, "visitors": 1},
            {"name": "buy", "events": 4, "large": 2, "visitors": 2},
        ],
    ),
    "sums of money, exact": (
        Sql(
            """
            SELECT sum(money_amounts['total']) AS total,
                   max(money_amounts['total']) AS largest
            FROM events WHERE name = 'buy'
            """
        ),
        [{"total": Decimal("1.000000000000000000"), "largest": Decimal("0.4")}],
    ),
    "aggregates of nothing": (
        Sql(
            """
            SELECT count(*) AS events, sum(money_amounts['total']) AS total,
                   avg(numbers['seats']) AS seats, max(occurred_at) AS at,
                   min(name) AS name, argMax(name, seq) AS last
            FROM events WHERE name = 'nothing'
            """
        ),
        [
            {
                "events": 0,
                "total": None,
                "seats": None,
                "at": None,
                "name": None,
                "last": None,
            }
        ],
    ),
    "booleans": (
        Sql(
            """
            SELECT error_handled, booleans['trial'] AS trial,
                   CAST(name = 'buy' AS BOOLEAN) AS is_buy
            FROM events WHERE name = 'buy' AND booleans['trial']
            """
        ),
        [{"error_handled": False, "trial": True, "is_buy": True}],
    ),
    "instants": (
        Sql(
            """
            SELECT date_trunc('day', occurred_at) AS day, min(occurred_at) AS first,
                   date_diff('second', min(occurred_at), max(occurred_at)) AS span_s
            FROM events GROUP BY day ORDER BY day
            """
        ),
        [
            {"day": TODAY - timedelta(days=1), "first": TODAY - MINUTE, "span_s": 0},
            {"day": TODAY, "first": NOON, "span_s": 180},
        ],
    ),
    "windows": (
        Sql(
            """
            SELECT anonymous_id,
                   row_number() OVER (PARTITION BY anonymous_id ORDER BY seq) AS nth,
                   sum(numbers['seats']) OVER (ORDER BY seq) AS seats
            FROM events WHERE name = 'buy' ORDER BY seq
            """
        ),
        [
            {"anonymous_id": "visitor 0", "nth": 1, "seats": 0.0},
            {"anonymous_id": "visitor 1", "nth": 1, "seats": 0.5},
            {"anonymous_id": "visitor 0", "nth": 2, "seats": 1.5},
            {"anonymous_id": "visitor 1", "nth": 2, "seats": 3.0},
        ],
    ),
    "joins that find nothing": (
        Sql(
            """
            SELECT one.name AS name, other.name AS other, other.at AS at
            FROM events AS one
            LEFT JOIN (
                SELECT anonymous_id, name, occurred_at AS at FROM events
                WHERE name = 'nothing'
            ) AS other ON other.anonymous_id = one.anonymous_id
            WHERE one.sent_by = 'browser'
            """
        ),
        [{"name": "$pageview", "other": None, "at": None}],
    ),
    "a name that is a column's and an answer's": (
        Sql(
            """
            SELECT max(name) AS name, count(*) AS events
            FROM events WHERE name = 'buy'
            """
        ),
        [{"name": "buy", "events": 4}],
    ),
    "unions without repeats": (
        Sql(
            """
            SELECT name FROM events WHERE name = 'buy' UNION
            SELECT name FROM events WHERE name = 'buy'
            """
        ),
        [{"name": "buy"}],
    ),
    "the newest of each": (
        Sql(
            """
            SELECT anonymous_id, argMax(name, seq) AS last
            FROM events GROUP BY anonymous_id ORDER BY anonymous_id
            """
        ),
        [
            {"anonymous_id": "visitor 0", "last": "$pageview"},
            {"anonymous_id": "visitor 1", "last": "buy"},
        ],
    ),
}


def typed(rows: list[Row]) -> list[dict[str, tuple[type, object]]]:
    """Tell 1 from True and 1.0: the wire does."""
    return [{name: (type(cell), cell) for name, cell in row.items()} for row in rows]


@pytest.mark.parametrize("shape", SHAPES)
def test_a_shape_of_statement_has_one_meaning(store: FilledStore, shape: str) -> None:
    store.add(*EVENTS)
    statement, rows = SHAPES[shape]

    assert typed(store.rows(statement)) == typed(rows)


VALUES: dict[str, Value] = {
    "text": "x' \\ \n\t\0 $text 🛒",
    "whole": 2**62,
    "real": 0.1,
    "yes": True,
    "no": False,
    "at": NOON + timedelta(milliseconds=1),
    "nothing": None,
}


@pytest.mark.parametrize("name", VALUES)
def test_a_value_goes_in_and_comes_back(store: FilledStore, name: str) -> None:
    value = VALUES[name]

    assert typed(store.rows(Sql("SELECT $value AS value", {"value": value}))) == typed(
        [{"value": value}]
    )


def test_a_value_fills_every_hole_of_its_name(store: FilledStore) -> None:
    statement = Sql("SELECT $a AS one, $ab AS two, $a AS three", {"a": "x", "ab": "y"})

    assert store.rows(statement) == [{"one": "x", "two": "y", "three": "x"}]


@pytest.mark.parametrize(
    ("names", "found"),
    [(["buy", "it's"], 4), (["$pageview", "buy"], 5), ([], 0)],
)
def test_a_list_is_a_set_to_be_in(
    store: FilledStore, names: list[str], found: int
) -> None:
    store.add(*EVENTS)

    assert store.rows(
        Sql("SELECT count(*) AS n FROM events WHERE name IN $names", {"names": names})
    ) == [{"n": found}]


def test_instants_compare_with_events(store: FilledStore) -> None:
    store.add(*EVENTS)

    assert store.rows(
        Sql(
            "SELECT count(*) AS n FROM events"
            " WHERE occurred_at >= $start AND occurred_at < $end",
            {"start": NOON, "end": NOON + 3 * MINUTE},
        )
    ) == [{"n": 3}]


def test_an_event_is_stored_once_by_its_id(store: FilledStore) -> None:
    first = store.append([event(id="a"), event(id="b"), event(id="a"), event()])
    again = store.append([event(id="b"), event(id="c"), event()])

    assert (first, again) == ([True, True, False, True], [False, True, True])
    assert store.rows(Sql("SELECT id FROM events ORDER BY seq")) == [
        {"id": id_} for id_ in ("a", "b", "", "c", "")
    ]


def test_seqs_count_up_in_the_order_of_storing(store: FilledStore) -> None:
    store.append([event("one"), event("two")])
    store.append([event("three")])

    rows = store.rows(Sql("SELECT name, seq FROM events ORDER BY seq"))

    assert [row["name"] for row in rows] == ["one", "two", "three"]
    assert len({row["seq"] for row in rows}) == 3


def test_map_keys_are_asked_for_and_listed(store: FilledStore) -> None:
    store.add(*BUYS)
    has_plan = store.dialect.has_key("strings", "'plan'")
    each_key = store.dialect.each(store.dialect.keys("strings"))

    assert store.rows(
        Sql(f"SELECT count(*) FILTER (WHERE {has_plan}) AS n FROM events")
    ) == [{"n": 3}]
    assert store.rows(
        Sql(
            f"SELECT key, count(*) AS n"
            f" FROM (SELECT {each_key} AS key FROM events) AS keys GROUP BY key"
        )
    ) == [{"key": "plan", "n": 3}]


@pytest.mark.parametrize("seconds", [0, 3600, -16_200])
def test_seconds_are_added_to_an_instant(store: FilledStore, seconds: int) -> None:
    store.add(view("ann"))
    later = store.dialect.plus_seconds("occurred_at", "$seconds")

    assert store.rows(
        Sql(f"SELECT {later} AS later FROM events", {"seconds": seconds})
    ) == [{"later": NOON + timedelta(seconds=seconds)}]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0),
        ("007", 7),
        ("999999999", 999_999_999),
        *((odd, None) for odd in ("", "1000000000", "-1", "+1", " 1", "1.5", "1e3")),
        ("\u0663", None),
        ("7\n", None),
    ],
)
def test_only_digits_are_a_number(
    store: FilledStore, text: str, number: int | None
) -> None:
    store.add(event(properties=Properties(strings={"n": text})))
    digits = store.dialect.digits("strings['n']")

    assert store.rows(Sql(f"SELECT {digits} AS n FROM events")) == [{"n": number}]
