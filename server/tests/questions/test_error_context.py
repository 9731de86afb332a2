from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.conftest import FilledStore
from tests.make import NOON, event, view
from tests.questions.asking import SHOP, answer

from clamp_server.errors import InvalidRequestError
from clamp_server.model.event import Arrival, EnrichedEvent, Page
from clamp_server.questions.error_context import errors_context

AT_NOON = "2026-03-10T12:00:00.000Z"
MINUTE = timedelta(minutes=1)


def context(store: FilledStore, rest: str = "", before: str = AT_NOON) -> Any:
    query = f"anonymous_id=ann&before_timestamp={before}&{rest}".rstrip("&")
    return answer(store, errors_context, query)


def names(store: FilledStore, rest: str = "", before: str = AT_NOON) -> list[str]:
    return [row["name"] for row in context(store, rest, before)["events"]]


def clicked(name: str, minutes: float, session: str = "s1") -> EnrichedEvent:
    """Make an event of Ann's browser, so many minutes before noon."""
    return event(
        name,
        NOON - minutes * MINUTE,
        sent_by="browser",
        session_id=session,
        anonymous_id="ann",
    )


def served(name: str, minutes: float) -> EnrichedEvent:
    return event(name, NOON - minutes * MINUTE, anonymous_id="ann")


def test_a_visitor_that_nobody_saw_did_nothing(store: FilledStore) -> None:
    store.add(view("ben", NOON - MINUTE), served("paid", 1))

    assert context(store) == {
        "anonymous_id": "ann",
        "before_timestamp": AT_NOON,
        "count": 0,
        "events": [],
    }


def test_the_events_before_an_error_are_told_oldest_first(store: FilledStore) -> None:
    store.add(
        clicked("$error", 0),
        clicked("clicked", 1),
        view(
            "s1",
            NOON - 2 * MINUTE,
            anonymous_id="ann",
            page=Page(url="https://shop.example/ü", pathname="/ü"),
            arrival=Arrival(referrer="https://a.example/"),
        ),
        clicked("after", -1),
        view("ben", NOON - MINUTE),
    )

    assert context(store) == {
        "anonymous_id": "ann",
        "before_timestamp": AT_NOON,
        "count": 2,
        "events": [
            {
                "timestamp": "2026-03-10T11:58:00.000Z",
                "name": "$pageview",
                "url": "https://shop.example/ü",
                "pathname": "/ü",
                "referrer": "https://a.example/",
            },
            {"timestamp": "2026-03-10T11:59:00.000Z", "name": "clicked"},
        ],
    }


def test_an_earlier_session_is_not_a_part_of_it(store: FilledStore) -> None:
    store.add(clicked("earlier", 10, "s0"), clicked("in_it", 5), clicked("$error", 0))

    assert names(store) == ["in_it"]


def test_of_two_sessions_at_the_instant_it_is_that_of_the_error(
    store: FilledStore,
) -> None:
    store.add(
        clicked("in_it", 1, "a"),
        clicked("$error", 0, "a"),
        clicked("beside_it", 1, "b"),
        clicked("clicked", 0, "b"),
    )

    assert names(store) == ["in_it"]


def test_what_a_server_told_of_the_session_is_listed(store: FilledStore) -> None:
    store.add(
        served("$error", 0),
        served("in_it", 1),
        served("of_no_session", 50),
        served("before_the_first_view", 20.5),
        clicked("browsed", 20),
    )

    assert names(store) == ["before_the_first_view", "browsed", "in_it"]


def test_long_after_it_is_the_session_last_active(store: FilledStore) -> None:
    store.add(clicked("browsed", 600), served("paid", 590), served("renewed", 1))

    assert names(store) == ["browsed", "paid"]


def test_a_limit_keeps_the_last(store: FilledStore) -> None:
    store.add(*(clicked(f"n{n:03}", 200 - n) for n in range(150)))

    assert [
        names(store, "limit=2"),
        len(names(store)),
        len(names(store, "limit=100")),
    ] == [["n148", "n149"], 20, 100]


def test_events_of_one_instant_have_an_order_of_their_own(store: FilledStore) -> None:
    store.add(clicked("b", 1), clicked("a", 1), clicked("c", 1))

    assert names(store) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("before", "found"),
    [
        ("2026-03-10T11:59:00.001Z", ["clicked"]),
        ("2026-03-10T11:59:00Z", []),
        ("2026-03-10T12:00", ["clicked"]),
        ("2026-03-10T12:59:00.001%2B01:00", ["clicked"]),
        ("2026-03-10T12:59:00%2B01:00", []),
        ("2026-03-10T06:59:00.000001-05:00", ["clicked"]),
    ],
)
def test_an_instant_is_read_with_its_offset_or_as_one_of_utc(
    store: FilledStore, before: str, found: list[str]
) -> None:
    store.add(clicked("clicked", 1))

    assert names(store, before=before) == found


@pytest.mark.parametrize(
    "given",
    [
        "",
        "noon",
        "2026-03-10",
        "2026-02-30T12:00:00Z",
        "2026-W10-2T12:00:00Z",
        "2026-03-10T24:30:00Z",
        "1969-12-31T23:00:00Z",
        "9999-12-31T23:59:59-23:59",
        "٢٠٢٦-03-10T12:00:00Z",
    ],
)
def test_what_is_no_instant_is_refused(given: str) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        errors_context.read_params(
            {"anonymous_id": "ann", "before_timestamp": given}, SHOP, NOON
        )

    assert refused.value.message == (
        "before_timestamp: must be an instant in ISO 8601, such as"
        f" 2026-03-10T12:00:00Z; got {given!r}"
    )


def test_a_visitor_must_be_named() -> None:
    with pytest.raises(InvalidRequestError) as refused:
        errors_context.read_params({"before_timestamp": AT_NOON}, SHOP, NOON)

    assert refused.value.message == (
        "anonymous_id: missing; must be a visitor's anonymous id"
    )
