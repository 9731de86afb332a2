from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.conftest import FilledStore
from tests.make import NOON, TODAY, event, view
from tests.questions.asking import SHOP, answer
from tests.questions.priced import agreed, paid

from clamp_server.errors import InvalidRequestError
from clamp_server.model.event import Arrival, Properties
from clamp_server.model.ids import ProjectId
from clamp_server.model.money import Money
from clamp_server.questions.revenue_summary import revenue_summary

DAY = timedelta(days=1)
STARTED = "$subscription_started"
FIGURES = ("revenue", "customers", "orders", "aov", "ltv", "mrr", "arr")


def summary(store: FilledStore, query: str = "") -> Any:
    return answer(store, revenue_summary, query)


def figures(store: FilledStore, query: str = "") -> list[Any]:
    found = summary(store, query)
    return [found["currency"], *(found[name] for name in FIGURES)]


def test_an_empty_project_has_a_summary_of_zeros(store: FilledStore) -> None:
    store.add(event(), view("ann"))

    none = {"change": "0%"}
    assert summary(store) == {
        "period": "30d",
        "currency": "USD",
        "revenue": 0.0,
        "customers": 0,
        "orders": 0,
        "aov": 0.0,
        "ltv": 0.0,
        "mrr": None,
        "arr": None,
        "is_subscription": False,
        "has_one_time": False,
        "total_revenue": [],
        "comparison": {
            **dict.fromkeys(("revenue", "customers", "orders", "aov", "ltv"), none),
            "mrr": None,
            "arr": None,
        },
        "plans": [],
        "products": [],
    }


def test_a_summary_compares_with_the_period_before(store: FilledStore) -> None:
    yesterday = TODAY - timedelta(hours=1)
    store.add(paid("20", user_id="ann", product="mug", at=yesterday))
    store.add(
        paid("29", name=STARTED, at=yesterday, user_id="ben", plan="pro", mrr_delta=29)
    )
    store.add(paid("30", user_id="ann", product="mug"))
    store.add(
        paid("50", name=STARTED, user_id="cleo", plan="team", mrr_delta=29.0),
        paid("10", product="cap", user_id="dan"),
    )

    assert summary(store, "period=today") == {
        "period": "today",
        "currency": "USD",
        "revenue": 90.0,
        "customers": 3,
        "orders": 3,
        "aov": 30.0,
        # 139 from ann, ben, cleo and dan.
        "ltv": 34.75,
        "mrr": 58.0,
        "arr": 696.0,
        "is_subscription": True,
        "has_one_time": True,
        "total_revenue": [{"currency": "USD", "amount": 90.0}],
        "comparison": {
            "revenue": {"change": "+83.7%"},
            "customers": {"change": "+50.0%"},
            "orders": {"change": "+50.0%"},
            "aov": {"change": "+22.4%"},
            "ltv": {"change": "+41.8%"},
            "mrr": {"change": "+100.0%"},
            "arr": {"change": "+100.0%"},
        },
        "plans": [
            {"plan": "team", "revenue": 50.0, "mrr_contribution": 29.0, "customers": 1},
            {"plan": "pro", "revenue": 0.0, "mrr_contribution": 29.0, "customers": 0},
        ],
        "products": [
            {"product": STARTED, "revenue": 50.0, "transactions": 1, "customers": 1},
            {"product": "mug", "revenue": 30.0, "transactions": 1, "customers": 1},
            {"product": "cap", "revenue": 10.0, "transactions": 1, "customers": 1},
        ],
    }


def test_only_the_total_counts_where_there_is_one(store: FilledStore) -> None:
    tax, fee = Money(Decimal("4.35"), "USD"), Money(Decimal("1"), "USD")
    with_total = {"total": Money(Decimal(29), "USD"), "tax": tax}
    store.add(event("sold", properties=Properties(money=with_total), user_id="ann"))
    store.add(event("tip", properties=Properties(money={"tax": tax, "fee": fee})))

    assert figures(store) == ["USD", 34.35, 1, 2, 17.18, 34.35, None, None]


def test_sums_are_exact_and_rounded_once(store: FilledStore) -> None:
    store.add(*(paid("0.1", user_id="ann", mrr_delta=0.1) for _ in range(3)))
    store.add(agreed(29 / 12), agreed(-29 / 12), agreed(-0.3))

    assert figures(store) == ["USD", 0.3, 1, 3, 0.1, 0.3, 0.0, 0.0]


def test_a_yearly_figure_comes_from_the_mrr_before_rounding(store: FilledStore) -> None:
    store.add(paid("29", name=STARTED, mrr_delta=29 / 12))

    assert figures(store)[-2:] == [2.42, 29.0]


@pytest.mark.parametrize(
    ("currency", "shown"),
    [("JPY", 1235.0), ("KWD", 1234.568), ("USD", 1234.57), ("CLF", 1234.5679)],
)
def test_a_currency_has_its_own_decimals(
    store: FilledStore, currency: str, shown: float
) -> None:
    store.add(paid("1234.56789", currency, user_id="ann"))

    found = summary(store)
    assert [found["currency"], found["total_revenue"]] == [
        currency,
        [{"currency": currency, "amount": shown}],
    ]
    assert [found["revenue"], found["aov"], found["ltv"]] == [shown] * 3


def test_currencies_are_never_added(store: FilledStore) -> None:
    store.add(paid("10", user_id="ann"), paid("20", user_id="ben", product="cap"))
    store.add(paid("4400", "JPY", user_id="ken", plan="pro", mrr_delta=4400.0))
    store.add(agreed(-5.0, plan="free"))

    found = summary(store)
    assert figures(store) == ["USD", 30.0, 3, 3, 15.0, 15.0, -5.0, -60.0]
    assert [found["total_revenue"], found["plans"], found["products"]] == [
        [{"currency": "JPY", "amount": 4400.0}, {"currency": "USD", "amount": 30.0}],
        [{"plan": "free", "revenue": 0.0, "mrr_contribution": -5.0, "customers": 0}],
        [
            {"product": "cap", "revenue": 20.0, "transactions": 1, "customers": 1},
            {
                "product": "$purchase",
                "revenue": 10.0,
                "transactions": 1,
                "customers": 1,
            },
        ],
    ]


def test_without_sales_the_currency_is_that_of_earlier_ones(store: FilledStore) -> None:
    store.add(paid("10", "EUR", at=TODAY - DAY, user_id="ann", mrr_delta=10.0))

    assert figures(store, "period=today") == [
        *("EUR", 0.0, 0, 0, 0.0),
        *(10.0, 10.0, 120.0),
    ]


def test_a_refund_alone_is_no_payment_made_once(store: FilledStore) -> None:
    store.add(paid("9", name="$refund_issued", product="mug"))

    assert not summary(store)["has_one_time"]


def test_a_refund_takes_off_and_is_no_order(store: FilledStore) -> None:
    store.add(paid("29", user_id="ann", product="mug"))
    store.add(paid("9", name="$refund_issued", user_id="ann", product="mug"))
    store.add(paid("-5", name="$refund_issued", user_id="ben", product="cap"))

    assert figures(store) == ["USD", 15.0, 2, 1, 15.0, 7.5, None, None]
    assert summary(store)["products"] == [
        {"product": "mug", "revenue": 20.0, "transactions": 1, "customers": 1},
        {"product": "cap", "revenue": -5.0, "transactions": 0, "customers": 1},
    ]


def test_more_taken_back_is_less(store: FilledStore) -> None:
    store.add(paid("10", name="$refund_issued", at=TODAY - timedelta(hours=1)))
    store.add(paid("15", name="$refund_issued"))

    assert summary(store, "period=today")["comparison"]["revenue"] == {
        "change": "-50.0%"
    }


def test_an_upgrade_inside_a_day_moves_the_balance(store: FilledStore) -> None:
    store.add(paid("29", name=STARTED, user_id="ann", plan="pro", mrr_delta=29.0))
    store.add(
        paid(
            "99",
            name="$subscription_upgraded",
            at=NOON - timedelta(minutes=1),
            user_id="ann",
            plan="team",
            mrr_delta=70.0,
        )
    )

    found = summary(store, "period=today")
    assert [found["mrr"], found["customers"], found["plans"]] == [
        99.0,
        1,
        [
            {"plan": "team", "revenue": 99.0, "mrr_contribution": 70.0, "customers": 1},
            {"plan": "pro", "revenue": 29.0, "mrr_contribution": 29.0, "customers": 1},
        ],
    ]


@pytest.mark.parametrize("name", ["$subscription_canceled", "$subscription_paused"])
def test_what_ends_or_pauses_lowers_the_mrr_and_brings_no_money(
    store: FilledStore, name: str
) -> None:
    store.add(paid("29", name=STARTED, user_id="ann", plan="pro", mrr_delta=29.0))
    store.add(paid("19", "EUR", name=STARTED, user_id="ben", mrr_delta=19.0))
    store.add(paid("29", name=name, user_id="ann", plan="pro", mrr_delta=-29.0))
    store.add(paid("19", "EUR", name=name, user_id="cleo", mrr_delta=-19.0))
    store.add(paid("19", "EUR", name=name, user_id="cleo"))

    found = summary(store)
    assert figures(store) == ["USD", 29.0, 2, 2, 29.0, 29.0, 0.0, 0.0]
    assert [found["has_one_time"], found["total_revenue"], found["plans"]] == [
        False,
        [{"currency": "USD", "amount": 29.0}, {"currency": "EUR", "amount": 19.0}],
        [{"plan": "pro", "revenue": 29.0, "mrr_contribution": 0.0, "customers": 1}],
    ]
    assert [row["product"] for row in found["products"]] == [STARTED]


def test_mrr_is_that_of_the_end_of_the_period(store: FilledStore) -> None:
    store.add(paid("29", name=STARTED, at=NOON - 400 * DAY, mrr_delta=29.0))
    store.add(agreed(-29.0, TODAY - DAY))

    assert [
        summary(store, f"period={period}")["mrr"]
        for period in ("2026-03-07:2026-03-08", "yesterday", "2024-01-01:2024-12-31")
    ] == [29.0, 0.0, None]


def test_subscriptions_alone_are_nothing_once_sold(store: FilledStore) -> None:
    store.add(paid("29", name=STARTED, mrr_delta=29.0), paid("29", mrr_delta=1.0))
    store.add(paid("29", name="$subscription_renewed"))

    found = summary(store)
    assert [found["is_subscription"], found["has_one_time"]] == [True, False]


def test_a_customer_is_a_user_with_every_linked_visitor(store: FilledStore) -> None:
    store.add(paid("1", user_id="ann"), paid("2", anonymous_id="phone"))
    store.add(paid("3", anonymous_id="other"), paid("4"))
    store.add(event("$identify", anonymous_id="phone", user_id="ann"))

    # The last payment is nobody's.
    assert figures(store)[1:4] == [10.0, 2, 4]


def test_filters_hold_for_the_visit_of_a_payment(store: FilledStore) -> None:
    store.add(view("ann", NOON - DAY, arrival=Arrival(channel="paid")))
    store.add(paid("5", anonymous_id="ann", mrr_delta=5.0), paid("3", user_id="ben"))

    assert figures(store, "channel=paid") == [
        *("USD", 5.0, 1, 1, 5.0),
        *(5.0, 5.0, 60.0),
    ]


def test_filters_hold_for_the_last_visit_of_a_user(store: FilledStore) -> None:
    came = view("phone", NOON - DAY, user_id="ann", arrival=Arrival(channel="paid"))
    store.add(paid("5", user_id="ann"), agreed(5.0, user_id="ann"), came)
    store.add(paid("3", user_id="ben"), agreed(3.0, user_id="ben"))

    assert figures(store, "channel=paid") == [
        *("USD", 5.0, 1, 1, 5.0),
        *(5.0, 5.0, 60.0),
    ]


def test_another_projects_money_is_not_counted(store: FilledStore) -> None:
    store.add(paid("5", project_id=ProjectId("proj_other"), mrr_delta=5.0))

    assert figures(store) == ["USD", 0.0, 0, 0, 0.0, 0.0, None, None]


def test_a_change_that_no_money_can_be_is_left_out(store: FilledStore) -> None:
    store.add(paid("29", name=STARTED, mrr_delta=29.0), agreed(1e300), agreed(9e19))

    assert figures(store)[-2:] == [29.0, 348.0]


def test_a_plan_that_ended_earlier_is_not_listed(store: FilledStore) -> None:
    store.add(
        agreed(5.0, TODAY - DAY, plan="old"), agreed(-5.0, TODAY - DAY, plan="old")
    )

    found = summary(store, "period=today")
    assert [found["mrr"], found["plans"]] == [0.0, []]


def test_a_period_that_is_too_long_is_refused() -> None:
    with pytest.raises(InvalidRequestError) as refused:
        revenue_summary.read_params({"period": "400d"}, SHOP, NOON)

    assert refused.value.message == (
        "period: must be today, yesterday, 1d to 365d, or YYYY-MM-DD:YYYY-MM-DD of at"
        " most 366 days, the first day first; got '400d'"
    )
