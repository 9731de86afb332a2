from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.conftest import FilledStore
from tests.make import NOON, PROJECT, TODAY, event, view
from tests.questions.reference import id_key, place

from clamp_server.model.dimension import DIMENSIONS
from clamp_server.model.event import Arrival, Device, EnrichedEvent, Page, Place
from clamp_server.model.ids import ProjectId
from clamp_server.model.period import Period
from clamp_server.model.scope import Scope
from clamp_server.store.scope_sql import scoped, scoped_from_sessions
from clamp_server.store.sql import Sql

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
MILLISECOND = timedelta(milliseconds=1)
DAY = Scope(project_id=PROJECT, period=Period("day", TODAY, TODAY + timedelta(days=1)))


def visit(session: str, at: Any, **changes: Any) -> EnrichedEvent:
    """Make a page view of Ann's that came from a host of the session's name."""
    arrival = Arrival(referrer_host=session)
    changed: dict[str, Any] = {"anonymous_id": "ann", "arrival": arrival, **changes}
    return view(session, at, **changed)


def bought(**changes: Any) -> EnrichedEvent:
    """Make Ann's purchase at noon, as her server tells it."""
    return event("bought", **{"anonymous_id": "ann", **changes})


def host(store: FilledStore) -> str:
    """Return the referrer that the one purchase has."""
    source = scoped_from_sessions(DAY, store.dialect, dimensions=DIMENSIONS)
    (row,) = store.rows(
        Sql(
            f"SELECT referrer_host FROM ({source.text}) AS event"
            " WHERE sent_by = 'server'",
            source.values,
        )
    )
    found = row["referrer_host"]
    assert isinstance(found, str)
    return found


@pytest.mark.parametrize(
    ("before_or_after", "expected"),
    [
        ({"old": -300 * MINUTE}, "old"),
        ({"older": -300 * MINUTE, "old": -31 * MINUTE}, "old"),
        ({"active": -30 * MINUTE}, "active"),
        ({"active": timedelta(0)}, "active"),
        ({"active": -30 * MINUTE, "starts": SECOND}, "active"),
        ({"old": -30 * MINUTE - MILLISECOND, "starts": SECOND}, "starts"),
        ({"old": -31 * MINUTE, "starts": 60 * SECOND}, "starts"),
        ({"old": -31 * MINUTE, "late": 60 * SECOND + MILLISECOND}, "old"),
        ({"starts": SECOND, "starts later": 2 * SECOND}, "starts"),
        ({"late": 61 * SECOND}, ""),
        ({}, ""),
    ],
)
def test_a_server_event_takes_the_session_that_the_rules_name(
    store: FilledStore, before_or_after: dict[str, timedelta], expected: str
) -> None:
    sessions = [visit(name, NOON + away) for name, away in before_or_after.items()]
    store.add(bought(), *sessions)

    assert host(store) == expected


def test_the_order_of_arrival_changes_nothing(store: FilledStore) -> None:
    store.add(visit("old", NOON - 60 * MINUTE))
    store.add(bought())
    store.add(visit("active", NOON - MINUTE))

    assert host(store) == "active"


def test_of_two_open_sessions_the_last_active_is_taken(store: FilledStore) -> None:
    long_open = [visit("long", NOON - n * MINUTE) for n in (50, 2)]
    store.add(*long_open, visit("short", NOON - 40 * MINUTE))
    store.add(bought())

    assert host(store) == "long"


def test_sessions_of_one_millisecond_are_told_apart_by_their_keys(
    store: FilledStore,
) -> None:
    store.add(visit("b", NOON), visit("c", NOON), visit("a", NOON), bought())

    assert host(store) == max("abc", key=lambda name: id_key(name) % 2**20)


def test_a_session_has_the_values_it_began_with(store: FilledStore) -> None:
    later = Arrival(referrer_host="elsewhere")
    store.add(visit("s", NOON - MINUTE, arrival=later), visit("s", NOON - 20 * MINUTE))
    store.add(bought())

    assert host(store) == "s"


def test_the_first_page_view_speaks_for_a_session(store: FilledStore) -> None:
    early = event(
        "clicked",
        NOON - 5 * MINUTE,
        sent_by="browser",
        session_id="s",
        anonymous_id="ann",
        arrival=Arrival(referrer_host="elsewhere"),
    )
    store.add(early, visit("s", NOON - MINUTE), bought())

    assert host(store) == "s"


def test_a_first_page_view_after_the_period_speaks_as_well(store: FilledStore) -> None:
    early = event(
        "clicked",
        NOON - 5 * MINUTE,
        anonymous_id="ann",
        sent_by="browser",
        session_id="s",
        arrival=Arrival(referrer_host="clicked"),
    )
    store.add(early, visit("s", TODAY + timedelta(days=2)), bought())

    assert host(store) == "s"


def test_without_a_page_view_the_first_event_does(store: FilledStore) -> None:
    def clicked(at: Any, referrer_host: str) -> EnrichedEvent:
        arrival = Arrival(referrer_host=referrer_host)
        changed: dict[str, Any] = {"session_id": "s", "anonymous_id": "ann"}
        return event("clicked", at, sent_by="browser", arrival=arrival, **changed)

    store.add(clicked(NOON - MINUTE, "later"), clicked(NOON - 2 * MINUTE, "first"))
    store.add(bought())

    assert host(store) == "first"


def test_of_views_in_one_millisecond_always_the_same_counts(store: FilledStore) -> None:
    views = [visit("s", NOON, arrival=Arrival(referrer_host=name)) for name in "abcd"]
    store.add(*views, bought())

    assert host(store) == min(views, key=place).arrival.referrer_host


def test_a_session_may_have_begun_before_the_period(store: FilledStore) -> None:
    store.add(visit("days ago", TODAY - timedelta(days=90)), bought())

    assert host(store) == "days ago"


def test_of_sessions_begun_long_before_the_period_the_rules_name_the_same(
    store: FilledStore,
) -> None:
    spans = {"ends last": (70, 5), "begun later": (60, 10), "over": (50, 40)}
    store.add(
        *(visit(name, TODAY - n * MINUTE) for name, ns in spans.items() for n in ns),
        event("bought", TODAY, anonymous_id="ann"),
    )

    assert host(store) == "ends last"


def test_a_session_may_begin_after_the_period(store: FilledStore) -> None:
    end = DAY.period.end
    store.add(event("bought", end - SECOND, anonymous_id="ann"))
    store.add(visit("just after", end + 58 * SECOND))

    assert host(store) == "just after"


def test_what_the_event_says_itself_is_kept(store: FilledStore) -> None:
    store.add(visit("s", NOON), bought(arrival=Arrival(referrer_host="own")))

    assert host(store) == "own"


@pytest.mark.parametrize(
    "stranger",
    [{"anonymous_id": "ben"}, {"project_id": ProjectId("proj_other")}],
)
def test_a_session_of_somebody_else_is_not_taken(
    store: FilledStore, stranger: dict[str, Any]
) -> None:
    store.add(visit("s", NOON, **stranger), bought())

    assert host(store) == ""


def test_an_event_of_nobody_has_no_session(store: FilledStore) -> None:
    store.add(visit("s", NOON, anonymous_id=""), bought(anonymous_id=""))

    assert host(store) == ""


def test_an_event_of_nobody_has_none_that_turned_out_to_be_somebodys(
    store: FilledStore,
) -> None:
    store.add(
        visit("s", NOON - 2 * MINUTE, anonymous_id=""),
        visit("s", NOON - MINUTE),
        bought(anonymous_id=""),
    )

    assert host(store) == ""


def test_every_dimension_is_taken_and_nothing_else(store: FilledStore) -> None:
    page = Page(
        url="https://shop.example/x",
        hostname="shop.example",
        pathname="pathname",
        utm_source="utm_source",
        utm_medium="utm_medium",
        utm_campaign="utm_campaign",
        utm_content="utm_content",
        utm_term="utm_term",
    )
    device = Device(
        browser="browser",
        browser_version="browser_version",
        os="os",
        os_version="os_version",
        device_type="mobile",
    )
    store.add(
        visit(
            "session",
            NOON,
            page=page,
            arrival=Arrival(referrer_host="referrer_host", channel="paid"),
            device=device,
            place=Place(country="country", region="region", city="city"),
        )
    )
    plain = scoped(DAY)
    joined = scoped_from_sessions(DAY, store.dialect, dimensions=DIMENSIONS)
    store.add(bought())

    (own,), (taken,) = (
        store.rows(
            Sql(
                f"SELECT * FROM ({source.text}) AS event WHERE sent_by = 'server'",
                source.values,
            )
        )
        for source in (plain, joined)
    )

    values = {d: d for d in DIMENSIONS} | {"channel": "paid", "device_type": "mobile"}
    assert taken == {**own, **values}


def test_events_of_browsers_keep_their_own_values(store: FilledStore) -> None:
    store.add(visit("s", NOON - MINUTE), visit("s", NOON, arrival=Arrival()))
    source = scoped_from_sessions(DAY, store.dialect, dimensions=DIMENSIONS)

    rows = store.rows(
        Sql(
            f"SELECT referrer_host FROM ({source.text}) AS event ORDER BY occurred_at",
            source.values,
        )
    )

    assert [row["referrer_host"] for row in rows] == ["s", ""]
