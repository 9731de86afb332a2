from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from tests.conftest import FilledStore
from tests.make import NOON, PROJECT, event, view

from clamp_server.model.event import Bug, Device, EnrichedEvent, Properties
from clamp_server.model.ids import ProjectId
from clamp_server.model.money import Money
from clamp_server.model.period import decode_period
from clamp_server.model.scope import Scope
from clamp_server.questions import live
from clamp_server.questions.live import (
    Bugs,
    LastOccurrence,
    SeenEvent,
    Since,
)

DAY = Scope(
    project_id=PROJECT,
    period=decode_period("2026-03-10:2026-03-10", ZoneInfo("UTC"), NOON),
)
OTHER = ProjectId("proj_other")
BOT = Device(browser="Googlebot", device_type="bot")


def error(fingerprint: str, at: datetime = NOON, **changes: Any) -> EnrichedEvent:
    return event(
        "$error", at, bug=Bug(fingerprint=fingerprint, fingerprint_version=1, **changes)
    )


def test_the_stream_has_everything_that_was_sent_with_its_types(
    store: FilledStore,
) -> None:
    properties = Properties(
        strings={"n": "5", "": "key without a name"},
        numbers={"n": 5.0},
        booleans={"yes": True, "no": False},
        money={"total": Money(Decimal("0.1"), "USD")},
    )
    store.add(
        view(
            "aid_1",
            NOON,
            "/beans",
            id="e1",
            user_id="usr_1",
            received_at=NOON + timedelta(milliseconds=7),
            properties=properties,
        )
    )

    (seen,) = live.events.ask(store, Since(project_id=PROJECT, limit=10))

    assert seen == SeenEvent(
        seq=seen.seq,
        id="e1",
        name="$pageview",
        sent_by="browser",
        occurred_at=NOON,
        received_at=NOON + timedelta(milliseconds=7),
        anonymous_id="aid_1",
        user_id="usr_1",
        session_id="aid_1",
        url="https://shop.example/beans",
        pathname="/beans",
        referrer_host="",
        channel="direct",
        browser="Firefox",
        browser_version="",
        os="Linux",
        os_version="",
        device_type="desktop",
        country="",
        properties=properties,
        error_message="",
        error_type="",
        error_handled=False,
    )


def test_the_stream_goes_on_where_it_was_left_and_has_no_other_project(
    store: FilledStore,
) -> None:
    store.add(event("first"), event("hidden", project_id=OTHER), event("second"))
    two = live.events.ask(store, Since(project_id=PROJECT, limit=10))
    # Stored later counts, however long ago it happened.
    store.add(event("third", NOON - timedelta(days=9)), view("bot", device=BOT))
    after = Since(project_id=PROJECT, after=two[0].seq, limit=10)

    newer = live.events.ask(store, after)
    newest = live.events.ask(store, Since(project_id=PROJECT, limit=1))

    assert [e.name for e in two] == ["second", "first"]
    assert [e.name for e in newer] == ["$pageview", "third"]
    assert newest == newer[:1]


def test_the_last_occurrence_is_the_one_that_happened_last(store: FilledStore) -> None:
    store.add(
        error("f" * 16, stack="newest", handled=True, fingerprint_parts="a\nb"),
        error("f" * 16, NOON - timedelta(hours=1), stack="older"),
        error("f" * 16, NOON - timedelta(days=2), stack="other day", handled=True),
        error("e" * 16, stack="of another bug"),
        error("", stack="neither message nor stack"),
        event("signup"),
    )
    bugs = Bugs(DAY, ("f" * 16, "", "unknown"))

    found = live.last_occurrences.ask(store, bugs)

    assert {k: (bug.stack, bug.handled) for k, bug in found.items()} == {
        "f" * 16: ("newest", 1),
        "": ("neither message nor stack", 0),
    }
    assert found["f" * 16] == LastOccurrence(
        fingerprint="f" * 16,
        handled=1,
        event=found["f" * 16].event,
        stack="newest",
        fingerprint_parts="a\nb",
    )
    assert found["f" * 16].event.occurred_at == NOON


def test_of_two_at_the_same_instant_the_one_stored_later_is_the_last(
    store: FilledStore,
) -> None:
    store.add(error("f" * 16, stack="first"), error("f" * 16, stack="second"))

    found = live.last_occurrences.ask(store, Bugs(DAY, ("f" * 16,)))

    assert found["f" * 16].stack == "second"


def test_a_project_without_events_has_an_answer(store: FilledStore) -> None:
    assert (
        live.events.ask(store, Since(project_id=PROJECT, limit=10)),
        live.last_occurrences.ask(store, Bugs(DAY, ("f" * 16,))),
    ) == ([], {})
