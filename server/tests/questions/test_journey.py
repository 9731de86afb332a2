from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.conftest import FilledStore
from tests.make import NOON, TODAY, event, view
from tests.questions.asking import SHOP, answer

from clamp_server.errors import InvalidRequestError
from clamp_server.model.event import Arrival, Device, EnrichedEvent, Page, Place
from clamp_server.model.ids import ProjectId
from clamp_server.questions.journey import users_journey

MINUTE = timedelta(minutes=1)


def sessions(store: FilledStore, rest: str = "") -> list[dict[str, Any]]:
    query = f"anonymous_id=ann&{rest}".rstrip("&")
    found = answer(store, users_journey, query)
    assert found["anonymous_id"] == "ann"
    return list(found["sessions"])


def anns(session: str, minutes: float = 0, **changes: Any) -> EnrichedEvent:
    """Make a page view of Ann's, so many minutes after noon."""
    return view(session, NOON + minutes * MINUTE, anonymous_id="ann", **changes)


def served(name: str, minutes: float) -> EnrichedEvent:
    return event(name, NOON + minutes * MINUTE, anonymous_id="ann")


def test_a_visitor_that_nobody_saw_has_no_sessions(store: FilledStore) -> None:
    store.add(view("ben"), served("signup", 0))

    assert sessions(store) == []


def test_a_session_has_everything_that_is_known(store: FilledStore) -> None:
    store.add(
        anns(
            "s1",
            path="/ü",
            page=Page(
                pathname="/ü", utm_source="news", utm_medium="email", utm_campaign="may"
            ),
            arrival=Arrival(channel="email", referrer_host="mail.example"),
            device=Device(device_type="mobile"),
            place=Place(country="DE"),
        ),
        anns("s1", 5, path="/b"),
        event(
            "bought",
            NOON + 7 * MINUTE,
            sent_by="browser",
            anonymous_id="ann",
            session_id="s1",
        ),
    )

    assert answer(
        store,
        users_journey,
        "anonymous_id=ann&period=today",
        now=NOON + timedelta(hours=1),
    ) == {
        "anonymous_id": "ann",
        "sessions": [
            {
                "session_id": "s1",
                "is_first_touch": True,
                "started_at": "2026-03-10T12:00:00.000Z",
                "ended_at": "2026-03-10T12:07:00.000Z",
                "entry_page": "/ü",
                "channel": "email",
                "referrer_host": "mail.example",
                "utm_source": "news",
                "utm_medium": "email",
                "utm_campaign": "may",
                "country": "DE",
                "device_type": "mobile",
                "pageviews": 2,
                "events": ["bought"],
            }
        ],
    }


def test_a_session_without_a_page_view_knows_what_its_first_event_does(
    store: FilledStore,
) -> None:
    store.add(
        event(
            "opened",
            sent_by="browser",
            session_id="s1",
            anonymous_id="ann",
            page=Page(pathname="/app"),
            place=Place(country="FR"),
        )
    )

    (session,) = sessions(store)

    assert (session["entry_page"], session["country"], session["pageviews"]) == (
        "",
        "FR",
        0,
    )


def test_the_oldest_session_is_first_and_only_it_is_flagged(
    store: FilledStore,
) -> None:
    store.add(anns("new"), anns("old", -120), anns("middle", -60), anns("old2", -120))

    assert [(s["session_id"], s["is_first_touch"]) for s in sessions(store)] == [
        ("old", True),
        ("old2", False),
        ("middle", False),
        ("new", False),
    ]
    assert [s["session_id"] for s in sessions(store, "limit=2")] == ["old", "old2"]


def test_what_a_server_sent_is_in_the_session_that_it_belongs_to(
    store: FilledStore,
) -> None:
    # Stored before the page views that they belong to.
    store.add(
        served("in_first", -60 + 30),
        served("too_late", -60 + 30.1),
        served("just_before", -1),
        served("long_after", 31),
        served("too_early", -1.1),
        anns("first", -60),
        anns("second"),
    )

    assert {s["session_id"]: s["events"] for s in sessions(store)} == {
        "first": ["in_first"],
        "second": ["just_before"],
    }


def test_events_are_distinct_custom_names_in_order(store: FilledStore) -> None:
    store.add(
        anns("s1"),
        served("zebra", 1),
        served("apple", 2),
        served("zebra", 3),
        served("$error", 1),
        served("mango", 2),
    )

    (session,) = sessions(store)

    assert session["events"] == ["zebra", "apple", "mango"]


def test_a_session_over_midnight_is_whole_on_both_days(store: FilledStore) -> None:
    store.add(
        view("s1", TODAY - MINUTE, path="/late", anonymous_id="ann"),
        view("s1", TODAY + MINUTE, path="/early", anonymous_id="ann"),
        event("paid", TODAY + 2 * MINUTE, anonymous_id="ann"),
        view("s0", TODAY - timedelta(hours=30), anonymous_id="ann"),
    )

    today = sessions(store, "period=today")

    assert [(s["session_id"], s["entry_page"], s["events"]) for s in today] == [
        ("s1", "/late", ["paid"])
    ]
    assert today == [
        session | {"is_first_touch": True}
        for session in sessions(store, "period=yesterday")
        if session["session_id"] == "s1"
    ]


def test_only_the_visitors_own_events_count(store: FilledStore) -> None:
    store.add(
        anns("s1"),
        view("s1", NOON + MINUTE, anonymous_id="ben"),
        event("bens", anonymous_id="ben"),
        anns("s2", project_id=ProjectId("proj_other")),
    )

    (session,) = sessions(store)

    assert (session["session_id"], session["pageviews"], session["events"]) == (
        "s1",
        1,
        [],
    )


def test_a_year_is_looked_at_unless_less_is_asked_for(store: FilledStore) -> None:
    store.add(anns("old", -364 * 24 * 60), anns("older", -366 * 24 * 60), anns("new"))

    assert [s["session_id"] for s in sessions(store)] == ["old", "new"]
    assert [s["session_id"] for s in sessions(store, "period=30d")] == ["new"]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({}, "anonymous_id: missing; must be a visitor's anonymous id"),
        (
            {"anonymous_id": "ann", "limit": "0"},
            "limit: must be a whole number from 1 to 200; got '0'",
        ),
    ],
)
def test_a_bad_parameter_is_refused(query: dict[str, str], message: str) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        users_journey.read_params(query, SHOP, NOON)

    assert refused.value.message == message
