from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.conftest import FilledStore
from tests.make import NOON, TODAY, event, view
from tests.questions.asking import SHOP, answer
from tests.questions.priced import agreed, paid

from clamp_server.errors import InvalidRequestError
from clamp_server.model.event import Place
from clamp_server.questions.revenue_timeseries import revenue_timeseries

DAY = timedelta(days=1)
STARTED = "$subscription_started"
THREE_DAYS = "period=2026-03-08:2026-03-10"


def points(store: FilledStore, query: str = THREE_DAYS) -> list[tuple[str, Any]]:
    found = answer(store, revenue_timeseries, query)
    return [(point["date"], point["value"]) for point in found]


def values(store: FilledStore, query: str) -> list[Any]:
    return [value for _, value in points(store, f"{THREE_DAYS}&{query}")]


def test_every_bucket_has_its_revenue(store: FilledStore) -> None:
    store.add(paid("0.1"), paid("0.2"), paid("5", at=TODAY - 2 * DAY))
    store.add(paid("9", at=TODAY - 3 * DAY))

    assert points(store) == [
        ("2026-03-08", 5.0),
        ("2026-03-09", 0.0),
        ("2026-03-10", 0.3),
    ]


def test_an_empty_project_has_zeros(store: FilledStore) -> None:
    store.add(event())

    assert [
        values(store, f"metric={metric}")
        for metric in ("revenue", "mrr", "customers", "transactions")
    ] == [[0, 0, 0]] * 4


def test_mrr_goes_on_from_what_it_was(store: FilledStore) -> None:
    store.add(paid("29", name=STARTED, at=TODAY - 99 * DAY, mrr_delta=29.0))
    store.add(paid("50", name=STARTED, at=TODAY - 2 * DAY, mrr_delta=50.0))
    store.add(paid("99", name="$subscription_upgraded", mrr_delta=70.0))
    store.add(agreed(-50.0))

    assert values(store, "metric=mrr") == [79.0, 79.0, 99.0]


def test_customers_and_transactions_are_counted_by_bucket(store: FilledStore) -> None:
    store.add(paid("1", user_id="ann"), paid("2", "EUR", user_id="ann"), paid("3"))
    store.add(paid("4", anonymous_id="x", at=TODAY - DAY), agreed(1.0, user_id="ben"))
    store.add(paid("4", name="$refund_issued", user_id="cleo"))

    assert [values(store, f"metric={m}") for m in ("customers", "transactions")] == [
        [0, 1, 2],
        [0, 1, 3],
    ]


def test_filters_hold_for_the_last_visit_of_a_user(store: FilledStore) -> None:
    place = Place(country="DE")
    store.add(view("phone", TODAY - DAY, user_id="ann", place=place))
    store.add(paid("1", user_id="ann"), paid("2", user_id="ben"))
    store.add(agreed(4.0, user_id="ann"), agreed(8.0, user_id="ben"))

    assert [
        values(store, f"country=DE&metric={metric}") for metric in ("revenue", "mrr")
    ] == [[0.0, 0.0, 1.0], [0.0, 0.0, 4.0]]


def test_currencies_are_never_added(store: FilledStore) -> None:
    store.add(paid("1000", "JPY"), paid("2"), paid("3", at=TODAY - DAY, mrr_delta=3.0))
    store.add(paid("4400", "JPY", at=TODAY - 9 * DAY, mrr_delta=4400.0))

    assert [values(store, "metric=revenue"), values(store, "metric=mrr")] == [
        [0.0, 3.0, 2.0],
        [0.0, 3.0, 3.0],
    ]


@pytest.mark.parametrize(
    ("currency", "shown"), [("JPY", 3.0), ("KWD", 2.501), ("USD", 2.5)]
)
def test_a_currency_has_its_own_decimals(
    store: FilledStore, currency: str, shown: float
) -> None:
    store.add(paid("2.5005", currency, mrr_delta=2.5005))

    assert [values(store, f"metric={m}")[-1] for m in ("revenue", "mrr")] == [shown] * 2


def test_plan_product_and_filters_narrow_the_sums(store: FilledStore) -> None:
    store.add(paid("1", plan="pro"), paid("2", product="mug"))
    store.add(paid("4", plan="pro", product="mug", place=Place(country="DE")))

    assert [
        values(store, query)[-1]
        for query in ("plan=pro", "product=mug", "plan=pro&product=mug", "country=DE")
    ] == [5.0, 6.0, 4.0, 4.0]


def test_days_are_those_of_the_projects_time_zone(store: FilledStore) -> None:
    project = replace(SHOP, time_zone="America/New_York")
    # 23:30 on Saturday, and 03:30 on Sunday after the clocks went forward at two.
    store.add(paid("1", at=TODAY - 2 * DAY + timedelta(hours=4, minutes=30)))
    store.add(paid("2", at=TODAY - 2 * DAY + timedelta(hours=7, minutes=30)))

    found = answer(
        store, revenue_timeseries, "period=2026-03-07:2026-03-08", project=project
    )
    days = answer(
        store,
        revenue_timeseries,
        "period=2026-03-07:2026-03-08&granularity=day",
        project=project,
    )
    assert [
        [point for point in found if point["value"]],
        len(found),
        [point["value"] for point in days],
    ] == [
        [
            {"date": "2026-03-08T04:00:00Z", "value": 1.0},
            {"date": "2026-03-08T07:00:00Z", "value": 2.0},
        ],
        47,
        [1.0, 2.0],
    ]


def test_a_balance_before_the_period_is_in_an_hour_that_begins_earlier(
    store: FilledStore,
) -> None:
    project = replace(SHOP, time_zone="Asia/Kolkata")
    store.add(paid("29", name=STARTED, at=TODAY - 9 * DAY, mrr_delta=29.0))

    found = answer(
        store, revenue_timeseries, "period=today&metric=mrr", project=project
    )
    assert [found[0], {point["value"] for point in found}] == [
        {"date": "2026-03-09T18:00:00Z", "value": 29.0},
        {29.0},
    ]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (
            {"metric": "arr"},
            "metric: must be revenue, mrr, customers, transactions; got 'arr'",
        ),
        (
            {"granularity": "year"},
            "granularity: must be hour, day, week, month; got 'year'",
        ),
    ],
)
def test_a_bad_value_is_refused_by_name(query: dict[str, str], message: str) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        revenue_timeseries.read_params(query, SHOP, NOON)

    assert refused.value.message == message
