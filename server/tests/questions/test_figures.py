from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from tests.conftest import FilledStore
from tests.make import NOON, PROJECT, TODAY, event, view

from clamp_server.model.event import Device, EnrichedEvent, Properties
from clamp_server.model.ids import ProjectId
from clamp_server.model.money import Money
from clamp_server.model.period import decode_period
from clamp_server.model.scope import Scope
from clamp_server.questions import figures
from clamp_server.questions.figures import Income, NameCount, QuarterHour, Totals

DAY = Scope(
    project_id=PROJECT,
    period=decode_period("2026-03-10:2026-03-10", ZoneInfo("UTC"), NOON),
)
OTHER = ProjectId("proj_other")
BOT = Device(browser="Googlebot", device_type="bot")


def paid(name: str = "purchase", **money: tuple[str, str]) -> EnrichedEvent:
    amounts = {k: Money(Decimal(amount), code) for k, (amount, code) in money.items()}
    return event(name, properties=Properties(money=amounts))


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

    assert figures.totals.ask(store, DAY) == Totals(
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

    assert figures.names.ask(store, DAY) == [
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

    assert figures.income.ask(store, DAY) == [
        Income(Money(Decimal(12_000), "JPY"), 1),
        Income(Money(Decimal("0.3"), "USD"), 2),
    ]


def test_of_an_event_with_a_total_that_alone_is_income(store: FilledStore) -> None:
    store.add(
        paid(total=("29", "USD"), tax=("4.35", "USD")),
        paid(price=("10", "USD"), shipping=("5", "EUR")),
    )

    assert figures.income.ask(store, DAY) == [
        Income(Money(Decimal(39), "USD"), 2),
        Income(Money(Decimal(5), "EUR"), 1),
    ]


def test_a_refund_is_taken_off_whatever_its_sign(store: FilledStore) -> None:
    store.add(
        paid(total=("29", "USD")),
        paid("$refund_issued", total=("9", "USD")),
        paid("$refund_issued", total=("-5", "USD")),
    )

    assert figures.income.ask(store, DAY) == [Income(Money(Decimal(15), "USD"), 3)]


def test_what_ends_or_pauses_brings_no_income(store: FilledStore) -> None:
    store.add(
        paid(total=("29", "USD")),
        paid("$subscription_canceled", total=("29", "USD")),
        paid("$subscription_paused", total=("29", "USD")),
    )

    assert figures.income.ask(store, DAY) == [Income(Money(Decimal(29), "USD"), 1)]


def test_quarters_of_an_hour_have_their_events_and_errors(store: FilledStore) -> None:
    store.add(
        event("a", NOON),
        event("$error", NOON + timedelta(minutes=14, seconds=59, milliseconds=999)),
        event("a", NOON + timedelta(minutes=15)),
        event("a", NOON + timedelta(minutes=59)),
        event("a", TODAY + timedelta(days=1)),
    )

    assert figures.quarter_hours.ask(store, DAY) == [
        QuarterHour(datetime(2026, 3, 10, 12, 0, tzinfo=UTC), 2, 1),
        QuarterHour(datetime(2026, 3, 10, 12, 15, tzinfo=UTC), 1, 0),
        QuarterHour(datetime(2026, 3, 10, 12, 45, tzinfo=UTC), 1, 0),
    ]


def test_a_project_without_events_has_an_answer_to_everything(
    store: FilledStore,
) -> None:
    assert (
        figures.totals.ask(store, DAY),
        figures.names.ask(store, DAY),
        figures.income.ask(store, DAY),
        figures.quarter_hours.ask(store, DAY),
    ) == (Totals(0, 0, 0, 0), [], [], [])
