"""What money sums up to, by currency, by group and as far as it is asked for."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.conftest import FilledStore
from tests.make import NOON, TODAY, event, view
from tests.questions.asking import SHOP, answer
from tests.questions.priced import paid

from clamp_server.errors import InvalidRequestError
from clamp_server.model.event import Arrival, Device, Page, Place, Properties
from clamp_server.model.ids import ProjectId
from clamp_server.model.money import Money
from clamp_server.questions.revenue import revenue_list


def revenue(store: FilledStore, query: str = "") -> Any:
    return answer(store, revenue_list, query)


def amounts(store: FilledStore, query: str = "") -> list[tuple[str, str]]:
    """Return group and amount of every row."""
    return [(row["group_value"], row["amount"]) for row in revenue(store, query)]


def test_an_empty_project_has_no_revenue(store: FilledStore) -> None:
    store.add(event(), view("ann"))

    assert [revenue(store), revenue(store, "group_by=channel")] == [[], []]


def test_money_is_summed_per_currency(store: FilledStore) -> None:
    store.add(paid("29.00", anonymous_id="ann"), paid("0.10", anonymous_id="ann"))
    store.add(paid("0.20", anonymous_id="ben"), paid("25", "EUR"))

    assert revenue(store) == [
        {"currency": "USD", "amount": "29.30", "events": 3, "visitors": 2},
        {"currency": "EUR", "amount": "25.00", "events": 1, "visitors": 0},
    ]


def test_every_money_key_counts_unless_one_is_asked_for(store: FilledStore) -> None:
    money = {
        "total": Money(Decimal("29.00"), "USD"),
        "tax": Money(Decimal("4.35"), "USD"),
        "fee": Money(Decimal(1), "EUR"),
    }
    store.add(event("purchase", properties=Properties(money=money)))

    # One event, however many of its keys hold money.
    assert {
        query: [(row["amount"], row["currency"], row["events"]) for row in rows]
        for query in ("", "property=total", "property=fee", "property=none")
        if (rows := revenue(store, query)) is not None
    } == {
        "": [("33.35", "USD", 1), ("1.00", "EUR", 1)],
        "property=total": [("29.00", "USD", 1)],
        "property=fee": [("1.00", "EUR", 1)],
        "property=none": [],
    }


def test_a_currency_has_its_own_decimals(store: FilledStore) -> None:
    for currency in ("JPY", "KWD", "USD", "CLF", "XAU"):
        store.add(paid("1234.56789", currency))

    assert {row["currency"]: row["amount"] for row in revenue(store)} == {
        "JPY": "1235",
        "KWD": "1234.568",
        "USD": "1234.57",
        "CLF": "1234.5679",
        "XAU": "1234.57",
    }


def test_only_the_sum_is_rounded_and_half_goes_up(store: FilledStore) -> None:
    store.add(paid("0.0025"), paid("0.0025"), paid("0.005", "EUR"))
    store.add(paid("-0.005", "GBP"), paid("-0.004", "CHF"))

    assert {row["currency"]: row["amount"] for row in revenue(store)} == {
        "USD": "0.01",
        "EUR": "0.01",
        "CHF": "0.00",
        "GBP": "-0.01",
    }


def test_sums_are_exact_where_binary_floats_are_not(store: FilledStore) -> None:
    store.add(*(paid("0.1") for _ in range(10)), paid("999999999999999.99", "EUR"))
    store.add(paid("0.01", "EUR"))

    assert [row["amount"] for row in revenue(store)] == ["1000000000000000.00", "1.00"]


def test_equal_amounts_are_in_order_of_currency_and_group(store: FilledStore) -> None:
    for currency in ("USD", "EUR"):
        for plan in ("b", "a"):
            store.add(paid("5", currency, plan=plan))

    assert [
        (row["currency"], row["group_value"]) for row in revenue(store, "group_by=plan")
    ] == [("EUR", "a"), ("EUR", "b"), ("USD", "a"), ("USD", "b")]


def test_a_refund_is_taken_off_however_its_sign_was_sent(store: FilledStore) -> None:
    store.add(paid("29"), paid("9", name="$refund_issued"))
    store.add(paid("-5", name="$refund_issued"))

    assert [
        [row["amount"] for row in revenue(store, query)]
        for query in ("", "event=$purchase", "event=$refund_issued")
    ] == [["15.00"], ["29.00"], ["-14.00"]]


def test_what_ends_or_pauses_brings_no_money(store: FilledStore) -> None:
    for name in ("started", "renewed", "upgraded", "downgraded", "resumed"):
        store.add(paid("1", name=f"$subscription_{name}"))
    store.add(paid("20", name="$subscription_canceled"))
    store.add(paid("20", name="$subscription_paused"))

    assert [
        [row["amount"] for row in revenue(store, query)]
        for query in (
            "",
            "property=total",
            "event=$subscription_canceled",
            "event=$subscription_resumed",
        )
    ] == [["5.00"], ["5.00"], [], ["1.00"]]


def test_groups_add_up_to_the_whole(store: FilledStore) -> None:
    store.add(paid("20", arrival=Arrival(channel="paid"), anonymous_id="ann"))
    store.add(paid("10", arrival=Arrival(channel="email")), paid("3"))

    assert revenue(store, "group_by=channel") == [
        {
            "group_value": "paid",
            "currency": "USD",
            "amount": "20.00",
            "events": 1,
            "visitors": 1,
        },
        {
            "group_value": "email",
            "currency": "USD",
            "amount": "10.00",
            "events": 1,
            "visitors": 0,
        },
        {
            "group_value": "",
            "currency": "USD",
            "amount": "3.00",
            "events": 1,
            "visitors": 0,
        },
    ]


@pytest.mark.parametrize(
    "group",
    [
        "referrer_host",
        "country",
        "device_type",
        "pathname",
        "utm_source",
        "utm_medium",
        "utm_campaign",
        "plan",
        "product",
    ],
)
def test_money_can_be_grouped_by_each_of_these(store: FilledStore, group: str) -> None:
    store.add(
        paid(
            "5",
            plan="plan",
            product="product",
            arrival=Arrival(referrer_host="referrer_host"),
            place=Place(country="country"),
            device=Device(device_type="mobile"),
            page=Page(
                pathname="pathname",
                utm_source="utm_source",
                utm_medium="utm_medium",
                utm_campaign="utm_campaign",
            ),
        )
    )
    value = "mobile" if group == "device_type" else group

    assert amounts(store, f"group_by={group}") == [(value, "5.00")]


def test_a_product_without_a_name_is_the_event(store: FilledStore) -> None:
    store.add(paid("3", product="mug"), paid("2"), paid("1", name="tip"))

    assert [
        amounts(store, "group_by=product"),
        amounts(store, "group_by=product&product=mug"),
        amounts(store, "group_by=product&product=tip"),
    ] == [
        [("mug", "3.00"), ("$purchase", "2.00"), ("tip", "1.00")],
        [("mug", "3.00")],
        [("tip", "1.00")],
    ]


def test_plans_and_filters_narrow_the_sum(store: FilledStore) -> None:
    german = Place(country="DE")
    store.add(paid("5", plan="pro", place=german))
    store.add(paid("3", plan="pro"), paid("1", place=german))

    assert [
        [row["amount"] for row in revenue(store, query)]
        for query in ("plan=pro", "country=DE", "plan=pro&country=DE", "plan=none")
    ] == [["8.00"], ["6.00"], ["5.00"], []]


def test_a_limit_keeps_the_largest_amounts(store: FilledStore) -> None:
    store.add(*(paid(f"{n}", plan=f"p{n}") for n in range(1, 13)))

    assert [
        amounts(store, "group_by=plan&limit=2"),
        len(amounts(store, "group_by=plan")),
        len(amounts(store, "group_by=plan&limit=50")),
    ] == [[("p12", "12.00"), ("p11", "11.00")], 10, 12]


def test_only_the_period_and_the_project_are_summed(store: FilledStore) -> None:
    store.add(paid("1", at=TODAY), paid("2", at=TODAY - timedelta(seconds=1)))
    store.add(paid("4", project_id=ProjectId("proj_other")))

    assert [row["amount"] for row in revenue(store, "period=today")] == ["1.00"]


def test_money_that_a_bot_brought_is_money(store: FilledStore) -> None:
    store.add(paid("5", device=Device(device_type="bot")))

    assert [row["amount"] for row in revenue(store)] == ["5.00"]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (
            {"group_by": "city"},
            "group_by: must be referrer_host, channel, country, device_type, pathname,"
            " utm_source, utm_medium, utm_campaign, plan, product; got 'city'",
        ),
        (
            {"attribution_model": "linear"},
            "attribution_model: must be last_touch, first_touch; got 'linear'",
        ),
        (
            {"attribution_model": "first_touch", "group_by": "plan"},
            "attribution_model: first_touch needs group_by to be one of channel,"
            " referrer_host, utm_source, utm_medium, utm_campaign; got 'plan'",
        ),
        (
            {"attribution_model": "first_touch"},
            "attribution_model: first_touch needs group_by to be one of channel,"
            " referrer_host, utm_source, utm_medium, utm_campaign; got ''",
        ),
        (
            {"first_touch_dim": "country"},
            "first_touch_dim: must be channel, referrer_host, utm_source, utm_medium,"
            " utm_campaign, utm_content, utm_term; got 'country'",
        ),
        (
            {"first_touch_dim": "channel"},
            "first_touch_value: missing; first_touch_dim needs it",
        ),
        (
            {"first_touch_value": "paid"},
            "first_touch_dim: missing; first_touch_value needs it",
        ),
        ({"limit": "51"}, "limit: must be a whole number from 1 to 50; got '51'"),
    ],
)
def test_a_bad_value_is_refused_by_name(query: dict[str, str], message: str) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        revenue_list.read_params(query, SHOP, NOON)

    assert refused.value.message == message
