from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.conftest import FilledStore
from tests.make import NOON, TODAY, event, view
from tests.questions.asking import SHOP, answer

from clamp_server.errors import InvalidRequestError
from clamp_server.model.event import Bug, Device, EnrichedEvent, Page, Place
from clamp_server.questions.errors import errors_list

MINUTE = timedelta(minutes=1)


def error(message: str = "", minutes: int = 0, **changes: Any) -> EnrichedEvent:
    """Make an error, so many minutes before noon."""
    changes.setdefault("bug", Bug(message=message))
    return event("$error", NOON - minutes * MINUTE, **changes)


def errors(store: FilledStore, query: str = "") -> Any:
    return answer(store, errors_list, query)


def messages(store: FilledStore, query: str) -> list[str]:
    return [row["message"] for row in errors(store, query)["errors"]]


def test_an_empty_project_has_no_errors(store: FilledStore) -> None:
    store.add(event(), view("ann"))

    assert errors(store) == {"period": "30d", "count": 0, "errors": []}


def test_an_error_has_everything_that_is_known(store: FilledStore) -> None:
    store.add(
        event(
            "$error",
            NOON - timedelta(milliseconds=7),
            session_id="session",
            anonymous_id="ann",
            page=Page(url="https://shop.example/cart", pathname="/cart"),
            bug=Bug(
                message="boom",
                type="TypeError",
                stack="a\n\n  b",
                handled=True,
                fingerprint="00ff00ff00ff00ff",
            ),
            device=Device(
                browser="Firefox",
                browser_version="140",
                os="Linux",
                device_type="desktop",
            ),
            place=Place(country="DE"),
        )
    )

    assert errors(store, "period=1d") == {
        "period": "1d",
        "count": 1,
        "errors": [
            {
                "timestamp": "2026-03-10T11:59:59.993Z",
                "message": "boom",
                "type": "TypeError",
                "stack": "a\n\n  b",
                "fingerprint": "00ff00ff00ff00ff",
                "handled": True,
                "url": "https://shop.example/cart",
                "pathname": "/cart",
                "browser": "Firefox",
                "browser_version": "140",
                "os": "Linux",
                "device_type": "desktop",
                "country": "DE",
                "anonymous_id": "ann",
                "session_id": "session",
            }
        ],
    }


def test_what_is_unknown_is_absent(store: FilledStore) -> None:
    store.add(event("$error"))

    assert errors(store)["errors"] == [
        {"timestamp": "2026-03-10T12:00:00.000Z", "handled": False}
    ]


def test_the_newest_is_first_and_of_equal_ones_the_last_stored(
    store: FilledStore,
) -> None:
    store.add(error("late"), error("early", 2), error("middle", 1))
    store.add(error("late, stored later"))

    assert messages(store, "") == ["late, stored later", "late", "middle", "early"]


def test_the_count_is_of_all_also_when_few_are_listed(store: FilledStore) -> None:
    store.add(*(error(f"e{n}", n) for n in range(60)))

    assert [
        (found["count"], len(found["errors"]))
        for found in (errors(store, query) for query in ("", "limit=2", "limit=200"))
    ] == [(60, 50), (60, 2), (60, 60)]


def test_filters_match_exactly_and_together(store: FilledStore) -> None:
    store.add(error("boom", 1), error("boom 2", 2))
    store.add(error(minutes=3, bug=Bug(message="print", fingerprint="ab")))
    store.add(error(minutes=4, bug=Bug(message="caught", handled=True)))
    fox = Device(browser="Firefox", os="Linux", device_type="mobile")
    store.add(error("fox", 5, device=fox))
    store.add(error("fox", 6, device=fox, place=Place(country="DE")))

    assert {
        query: messages(store, query)
        for query in (
            "message=boom",
            "fingerprint=ab",
            "handled=true",
            "handled=false&limit=2",
            "browser=Firefox",
            "os=Linux",
            "device_type=mobile",
            "country=DE&browser=Firefox&message=fox&handled=false",
            "country=FR",
            "message=&fingerprint=&handled=&country=DE",
        )
    } == {
        "message=boom": ["boom"],
        "fingerprint=ab": ["print"],
        "handled=true": ["caught"],
        "handled=false&limit=2": ["boom", "boom 2"],
        "browser=Firefox": ["fox", "fox"],
        "os=Linux": ["fox", "fox"],
        "device_type=mobile": ["fox", "fox"],
        "country=DE&browser=Firefox&message=fox&handled=false": ["fox"],
        "country=FR": [],
        "message=&fingerprint=&handled=&country=DE": ["fox"],
    }


def test_the_longest_message_can_be_filtered_by(store: FilledStore) -> None:
    store.add(error("é" * 1_024), error("é" * 1_023))

    assert errors(store, f"message={'é' * 1_024}")["count"] == 1


def test_filters_of_other_questions_are_not_applied(store: FilledStore) -> None:
    store.add(error("boom", page=Page(pathname="/")))

    assert messages(store, "pathname=/elsewhere&city=Rome") == ["boom"]


def test_errors_of_bots_are_errors(store: FilledStore) -> None:
    store.add(error("boom", device=Device(device_type="bot")))

    assert messages(store, "") == ["boom"]


def test_only_the_period_is_listed(store: FilledStore) -> None:
    store.add(event("$error", TODAY - MINUTE), event("$error", NOON + MINUTE))

    assert errors(store, "period=today")["count"] == 0


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"limit": "0"}, "limit: must be a whole number from 1 to 200; got '0'"),
        ({"limit": "201"}, "limit: must be a whole number from 1 to 200; got '201'"),
        ({"handled": "maybe"}, "handled: must be true, false; got 'maybe'"),
    ],
)
def test_a_bad_value_is_refused_by_name(query: dict[str, str], message: str) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        errors_list.read_params(query, SHOP, NOON)

    assert refused.value.message == message
