"""Whether those who began to pay go on, and whether they pay more or less."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from clamp_server.questions.amount import (
    Total,
    added,
    amount_number,
    dominant_currency,
    share,
)
from clamp_server.questions.ask import Question
from clamp_server.questions.retention_params import (
    COHORT_EVENT,
    COHORT_PERIOD,
    FILTER_PROPERTY,
    FILTER_VALUE,
    WINDOWS,
    RetentionParams,
    read_retention_params,
)
from clamp_server.questions.retention_sums import select_retention, window_columns
from clamp_server.store.sql import Row


@dataclass(frozen=True, slots=True)
class RevenueCohort:
    """Which event makes a member, and when."""

    event: str
    period: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionWindow:
    """The cohort so many days after each member's beginning.

    Attributes:
        mature_size: Members whose beginning is at least so long ago.
        retained: Mature members with an MRR above 0 at that time.
        retention_rate: 1.0 for all of them; None without mature members.
        mrr_at_d: What the mature members' MRR was at that time.
        baseline_mrr_mature: And at their beginning.
        nrr: The former by the latter, 1.0 for as much; None where the latter is
            not above 0.
    """

    window: str
    days: int
    mature_size: int
    retained: int
    retention_rate: float | None
    mrr_at_d: float
    baseline_mrr_mature: float
    nrr: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """A cohort of customers, and what became of its revenue.

    Attributes:
        baseline_mrr: Of every member at its beginning, mature or not.
        currency: The one of most members; sums of money are of those only.
    """

    cohort: RevenueCohort
    size: int
    baseline_mrr: float
    currency: str
    retention: list[RetentionWindow]


def read_retention(params: RetentionParams, rows: Sequence[Row]) -> Retention:
    """Shape the rows of `select_retention`."""
    currency = dominant_currency(
        Total(row["currency"], Decimal(0), row["members"])
        for row in rows
        if row["currency"]
    )
    return Retention(
        cohort=RevenueCohort(params.event, params.scope.period.text),
        size=sum(row["members"] for row in rows),
        baseline_mrr=amount_number(_money(rows, "baseline", currency), currency),
        currency=currency,
        retention=[
            _window(rows, number, days, currency)
            for number, days in enumerate(params.windows_days)
        ],
    )


def _window(
    rows: Sequence[Row], number: int, days: int, currency: str
) -> RetentionWindow:
    columns = window_columns(number)
    mature = sum(row[columns.mature] for row in rows)
    retained = sum(row[columns.retained] for row in rows)
    at_d = _money(rows, columns.mrr, currency)
    baseline = _money(rows, columns.baseline, currency)
    return RetentionWindow(
        window=f"{days}d",
        days=days,
        mature_size=mature,
        retained=retained,
        retention_rate=share(Decimal(retained), Decimal(mature)) if mature else None,
        mrr_at_d=amount_number(at_d, currency),
        baseline_mrr_mature=amount_number(baseline, currency),
        nrr=share(at_d, baseline) if baseline > 0 else None,
    )


def _money(rows: Sequence[Row], column: str, currency: str) -> Decimal:
    """Add what the members have whose currency it is, or who have none."""
    return added(row[column] for row in rows if row["currency"] in ("", currency))


revenue_retention = Question(
    name="revenue.retention",
    path="/revenue/retention",
    meaning="Whether those who began to pay go on, and whether they pay more or less.",
    parameters=(COHORT_EVENT, COHORT_PERIOD, FILTER_PROPERTY, FILTER_VALUE, WINDOWS),
    read_params=read_retention_params,
    select=select_retention,
    read=read_retention,
)
