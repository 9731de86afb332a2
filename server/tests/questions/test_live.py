from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from tests.conftest import FilledStore
from tests.make import NOON, PROJECT, TODAY, event, view

from clamp_server.model.event import Bug, Device, EnrichedEvent, Properties
from clamp_server.model.ids import ProjectId
from clamp_server.model.money import Money
from clamp_server.model.period import decode_period
from clamp_server.model.scope import Scope
from clamp_server.questions import live
from clamp_server.questions.live import (
    Bugs,
    Income,
    LastOccurrence,
    NameCount,
    QuarterHour,
    SeenEvent,
    Since,
    Totals,
)

DAY = Scope(
    project_id=PROJECT,
    period=decode_period("2026-03-10:2026-03-10", ZoneInfo("UTC"), NOON),
)
OTHER = ProjectId("proj_other")
BOT = Device(browser="Googlebot", device_type="bot")


def paid(name: str = "purchase", **money: tuple[str, str]) -> EnrichedEvent:
    amounts = {k: Money(Decimal(amount), code) for k, (amount, code) in money.items()}
    return event(name, properties=Properties(money=amounts))


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


def test_totals_count_the_events_of_bots_and_not_bots_as_visitors(
    store: FilledStore,
) -> None:
    store.add(
        view("ada"),
        view("ada"),
        view("crawler", device=BOT),
        event("$error"),
        event("signup", anonymous_id="ben"),
        event("signup", TODAY - timedelta(milliseconds=1)),
        event("signup", TODAY + timedelta(days=1)),
        event("signup", project_id=OTHER),
    )

    assert live.totals.ask(store, DAY) == Totals(
        events=5, visitors=2, errors=1, bot_events=1
    )


def test_names_are_counted_the_most_frequent_first_and_then_by_name(
    store: FilledStore,
) -> None:
    store.add(
        event("b"),
        event("a", anonymous_id="ada"),
        view("ada"),
        view("ada"),
        view("ben"),
        event("b", project_id=OTHER),
    )

    assert live.names.ask(store, DAY) == [
        NameCount("$pageview", 3, 2),
        NameCount("a", 1, 1),
        NameCount("b", 1, 0),
    ]


def test_income_is_summed_exactly_per_currency_the_largest_first(
    store: FilledStore,
) -> None:
    store.add(
        paid(price=("0.1", "USD")),
        paid(price=("0.2", "USD")),
        paid(price=("12000", "JPY")),
        event("signup"),
    )

    assert live.income.ask(store, DAY) == [
        Income(Money(Decimal(12_000), "JPY"), 1),
        Income(Money(Decimal("0.3"), "USD"), 2),
    ]


def test_of_an_event_with_a_total_that_alone_is_income(store: FilledStore) -> None:
    store.add(
        paid(total=("29", "USD"), tax=("4.35", "USD")),
        paid(price=("10", "USD"), shipping=("5", "EUR")),
    )

    assert live.income.ask(store, DAY) == [
        Income(Money(Decimal(39), "USD"), 2),
        Income(Money(Decimal(5), "EUR"), 1),
    ]


def test_a_refund_is_taken_off_whatever_its_sign(store: FilledStore) -> None:
    store.add(
        paid(total=("29", "USD")),
        paid("$refund_issued", total=("9", "USD")),
        paid("$refund_issued", total=("-5", "USD")),
    )

    assert live.income.ask(store, DAY) == [Income(Money(Decimal(15), "USD"), 3)]


def test_quarters_of_an_hour_have_their_events_and_errors(store: FilledStore) -> None:
    store.add(
        event("a", NOON),
        event("$error", NOON + timedelta(minutes=14, seconds=59, milliseconds=999)),
        event("a", NOON + timedelta(minutes=15)),
        event("a", NOON + timedelta(minutes=59)),
        event("a", TODAY + timedelta(days=1)),
    )

    assert live.quarter_hours.ask(store, DAY) == [
        QuarterHour(datetime(2026, 3, 10, 12, 0, tzinfo=UTC), 2, 1),
        QuarterHour(datetime(2026, 3, 10, 12, 15, tzinfo=UTC), 1, 0),
        QuarterHour(datetime(2026, 3, 10, 12, 45, tzinfo=UTC), 1, 0),
    ]


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


def test_a_project_without_events_has_an_answer_to_everything(
    store: FilledStore,
) -> None:
    assert (
        live.events.ask(store, Since(project_id=PROJECT, limit=10)),
        live.totals.ask(store, DAY),
        live.names.ask(store, DAY),
        live.income.ask(store, DAY),
        live.quarter_hours.ask(store, DAY),
        live.last_occurrences.ask(store, Bugs(DAY, ("f" * 16,))),
    ) == ([], Totals(0, 0, 0, 0), [], [], [], {})
