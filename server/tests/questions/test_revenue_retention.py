from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.conftest import FilledStore
from tests.make import NOON, event
from tests.questions.asking import SHOP, answer
from tests.questions.priced import agreed, paid

from clamp_server.errors import InvalidRequestError
from clamp_server.model.event import EnrichedEvent
from clamp_server.model.ids import ProjectId
from clamp_server.questions.revenue_retention import revenue_retention

DAY = timedelta(days=1)
MILLISECOND = timedelta(milliseconds=1)
STARTED = "$subscription_started"


def began(
    person: str, at: datetime, mrr: float = 29.0, currency: str = "USD", **changes: Any
) -> EnrichedEvent:
    """Make the start of a subscription of the plan `pro`."""
    changes = {"name": STARTED, "plan": "pro", "user_id": person, **changes}
    return paid("29", currency, at=at, mrr_delta=mrr, **changes)


def retention(store: FilledStore, query: str = "") -> Any:
    return answer(store, revenue_retention, query)


def windows(store: FilledStore, query: str = "windows=7d") -> list[list[Any]]:
    """Return sizes, retained, MRR then and at first, and NRR of each window."""
    names = ("mature_size", "retained", "mrr_at_d", "baseline_mrr_mature", "nrr")
    return [[w[name] for name in names] for w in retention(store, query)["retention"]]


def test_an_empty_project_has_a_cohort_of_nobody(store: FilledStore) -> None:
    store.add(event())

    nobody = {
        "mature_size": 0,
        "retained": 0,
        "retention_rate": None,
        "mrr_at_d": 0.0,
        "baseline_mrr_mature": 0.0,
        "nrr": None,
    }
    assert retention(store) == {
        "cohort": {"event": STARTED, "period": "90d"},
        "size": 0,
        "baseline_mrr": 0.0,
        "currency": "USD",
        "retention": [
            {"window": f"{days}d", "days": days, **nobody} for days in (7, 30, 60, 90)
        ],
    }


def test_a_cohort_is_followed_from_each_members_beginning(store: FilledStore) -> None:
    store.add(began("stays", NOON - 40 * DAY), began("grows", NOON - 35 * DAY))
    store.add(began("leaves", NOON - 32 * DAY), began("new", NOON - DAY, 10.0))
    store.add(agreed(70.0, NOON - 30 * DAY, user_id="grows"))
    store.add(agreed(-29.0, NOON - 20 * DAY, user_id="leaves"))

    assert retention(store, "windows=7d,30d") == {
        "cohort": {"event": STARTED, "period": "90d"},
        "size": 4,
        "baseline_mrr": 97.0,
        "currency": "USD",
        "retention": [
            {
                "window": "7d",
                "days": 7,
                "mature_size": 3,
                "retained": 3,
                "retention_rate": 1.0,
                "mrr_at_d": 157.0,
                "baseline_mrr_mature": 87.0,
                "nrr": 1.8046,
            },
            {
                "window": "30d",
                "days": 30,
                "mature_size": 3,
                "retained": 2,
                "retention_rate": 0.6667,
                "mrr_at_d": 128.0,
                "baseline_mrr_mature": 87.0,
                "nrr": 1.4713,
            },
        ],
    }


@pytest.mark.parametrize(
    ("late", "mature"), [(timedelta(0), 1), (MILLISECOND, 0), (-MILLISECOND, 1)]
)
def test_a_member_is_mature_when_the_window_is_over(
    store: FilledStore, late: timedelta, mature: int
) -> None:
    store.add(began("ann", NOON - 7 * DAY + late))

    assert [window[0] for window in windows(store)] == [mature]


@pytest.mark.parametrize(("late", "mrr"), [(timedelta(0), 0.0), (MILLISECOND, 29.0)])
def test_a_window_has_its_last_moment(
    store: FilledStore, late: timedelta, mrr: float
) -> None:
    start = NOON - 9 * DAY
    store.add(began("ann", start), agreed(-29.0, start + 7 * DAY + late, user_id="ann"))

    assert windows(store) == [[1, int(mrr > 0), mrr, 29.0, mrr / 29.0]]


def test_what_was_before_the_anchor_does_not_count(store: FilledStore) -> None:
    store.add(agreed(100.0, NOON - 20 * DAY, user_id="ann", name="imported"))
    store.add(began("ann", NOON - 10 * DAY), began("ann", NOON - 9 * DAY, 5.0))

    assert windows(store) == [[1, 1, 34.0, 29.0, 1.1724]]


def test_fractions_that_cancel_leave_nothing(store: FilledStore) -> None:
    store.add(began("ann", NOON - 9 * DAY, 29 / 12))
    store.add(agreed(0.1, NOON - 8 * DAY, user_id="ann"))
    store.add(agreed(0.2, NOON - 8 * DAY, user_id="ann"))
    store.add(agreed(-0.3, NOON - 8 * DAY, user_id="ann"))
    store.add(agreed(-29 / 12, NOON - 8 * DAY, user_id="ann"))

    assert windows(store) == [[1, 0, 0.0, 2.42, 0.0]]


def test_a_change_too_large_to_be_money_changes_nothing(store: FilledStore) -> None:
    store.add(began("ann", NOON - 9 * DAY, 2e15, "JPY"))
    store.add(began("ann", NOON - 8 * DAY, 29.0, "USD"))

    assert [retention(store)["currency"], windows(store)] == [
        "USD",
        [[1, 1, 29.0, 0.0, None]],
    ]


def test_a_member_is_a_user_on_every_device(store: FilledStore) -> None:
    store.add(
        began("", NOON - 9 * DAY, anonymous_id="phone"),
        agreed(-29.0, NOON - 8 * DAY, user_id="ann"),
        event("$identify", anonymous_id="phone", user_id="ann"),
        # Nobody's, and so no member.
        began("", NOON - 9 * DAY),
    )

    assert [retention(store)["size"], windows(store)] == [1, [[1, 0, 0.0, 29.0, 0.0]]]


def test_money_is_that_of_most_members(store: FilledStore) -> None:
    store.add(began("ann", NOON - 9 * DAY), began("ben", NOON - 9 * DAY, 1.0))
    store.add(began("ken", NOON - 9 * DAY, 4400.0, "JPY"))
    # In another currency than what it changes, so it changes nothing.
    store.add(began("ken", NOON - 8 * DAY, -9000.0, "USD"))

    assert [retention(store)["currency"], windows(store)] == [
        "USD",
        [[3, 3, 30.0, 30.0, 1.0]],
    ]


@pytest.mark.parametrize(
    ("currency", "shown"), [("JPY", 3.0), ("KWD", 2.501), ("USD", 2.5)]
)
def test_a_currency_has_its_own_decimals(
    store: FilledStore, currency: str, shown: float
) -> None:
    store.add(began("ann", NOON - 9 * DAY, 2.5005, currency))

    assert windows(store) == [[1, 1, shown, shown, 1.0]]


def test_any_event_begins_a_cohort_and_a_property_narrows_it(
    store: FilledStore,
) -> None:
    store.add(began("ann", NOON - 9 * DAY), began("ben", NOON - 9 * DAY, plan="team"))
    store.add(event("signup", NOON - 9 * DAY, user_id="cleo"))

    match = "cohort_filter_property=plan&cohort_filter_value"
    assert [
        [retention(store, query)["size"], windows(store, f"{query}&windows=7d")]
        for query in (f"{match}=pro", f"{match}=none", "cohort_event=signup")
    ] == [
        [1, [[1, 1, 29.0, 29.0, 1.0]]],
        [0, [[0, 0, 0.0, 0.0, None]]],
        [1, [[1, 0, 0.0, 0.0, None]]],
    ]


def test_members_begin_in_the_period_and_in_the_project(store: FilledStore) -> None:
    store.add(began("ann", NOON - 9 * DAY), began("ben", NOON - 2 * DAY))
    store.add(began("cleo", NOON, project_id=ProjectId("proj_other")))

    assert [
        retention(store, f"cohort_period={period}")["size"]
        for period in ("90d", "7d", "2026-02-28:2026-03-01")
    ] == [2, 1, 1]


def test_windows_are_in_the_callers_order_without_repeats(store: FilledStore) -> None:
    found = retention(store, "windows=30d,%201d,30d")["retention"]

    assert [window["window"] for window in found] == ["30d", "1d"]


@pytest.mark.parametrize("given", ["7", "7d,", "0d", "366d", "1w", "x" * 60])
def test_a_bad_window_is_refused(given: str) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        revenue_retention.read_params({"windows": given}, SHOP, NOON)

    assert refused.value.message == (
        "windows: must be 1d to 365d, up to 10 with commas between them;"
        f" got {given[:50]!r}"
    )


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (
            {"windows": ",".join(f"{n}d" for n in range(1, 12))},
            "windows: must be 1d to 365d, up to 10 with commas between them;"
            " got '1d,2d,3d,4d,5d,6d,7d,8d,9d,10d,11d'",
        ),
        (
            {"cohort_filter_property": "plan"},
            "cohort_filter_value: missing; cohort_filter_property needs it",
        ),
        (
            {"cohort_filter_value": "pro"},
            "cohort_filter_property: missing; cohort_filter_value needs it",
        ),
    ],
)
def test_a_bad_value_is_refused_by_name(query: dict[str, str], message: str) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        revenue_retention.read_params(query, SHOP, NOON)

    assert refused.value.message == message
