"""Whether those who began to pay go on, and whether they pay more or less."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import LiteralString

from clamp_server.model.period import Period
from clamp_server.model.project import Project
from clamp_server.model.scope import Scope
from clamp_server.questions.amount import (
    Total,
    added,
    amount_number,
    dominant_currency,
    share,
)
from clamp_server.questions.ask import Question
from clamp_server.questions.parameter import Query, Span, Text, read_pair, refusal
from clamp_server.store.payment_sql import entries, priced, with_people
from clamp_server.store.property_sql import property_sql
from clamp_server.store.scope_sql import scoped
from clamp_server.store.sql import Dialect, Row, Sql, Value

MOST_WINDOWS = 10
LONGEST_WINDOW_DAYS = 365
_WINDOW = re.compile(r"([1-9][0-9]{0,2})d")


@dataclass(frozen=True, slots=True)
class Windows:
    """Numbers of days, such as `7d,30d`."""

    name: str
    default: str
    is_required: bool = False
    allowed: str = (
        f"1d to {LONGEST_WINDOW_DAYS}d, up to {MOST_WINDOWS} with commas between them"
    )

    def read(self, query: Query) -> tuple[int, ...]:
        """Return the days of each, repeats dropped, in the caller's order.

        Raises:
            InvalidRequestError: One is no number of days, or there are too many.
        """
        given = query.get(self.name) or self.default
        found = [_WINDOW.fullmatch(part.strip()) for part in given.split(",")]
        days = dict.fromkeys(int(window[1]) for window in found if window)
        is_allowed = None not in found and max(days) <= LONGEST_WINDOW_DAYS
        if not is_allowed or len(days) > MOST_WINDOWS:
            raise refusal(self, given)
        return (*days,)


COHORT_EVENT = Text("cohort_event", "an event's name", default="$subscription_started")
COHORT_PERIOD = Span("cohort_period", default="90d")
FILTER_PROPERTY = Text(
    "cohort_filter_property",
    "a text property's key, together with `cohort_filter_value`",
)
FILTER_VALUE = Text("cohort_filter_value", "what that property must be")
WINDOWS = Windows("windows", default="7d,30d,60d,90d")


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionParams:
    """What `revenue.retention` can be asked with.

    Attributes:
        scope: The period in which the members of the cohort begin.
        match: A text property of the cohort's event and its value.
        windows_days: How long after its beginning each member is looked at.
        now: Until when anything has happened.
    """

    scope: Scope
    event: str
    match: tuple[str, str] | None
    windows_days: tuple[int, ...]
    now: datetime


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


def read_retention_params(
    query: Query, project: Project, now: datetime
) -> RetentionParams:
    """Read the parameters of `revenue.retention`."""
    period = COHORT_PERIOD.read(query, project, now)
    return RetentionParams(
        scope=Scope(project_id=project.id, period=period),
        event=COHORT_EVENT.read(query) or COHORT_EVENT.default,
        match=read_pair(query, FILTER_PROPERTY, FILTER_VALUE),
        windows_days=WINDOWS.read(query),
        now=now,
    )


def select_retention(params: RetentionParams, dialect: Dialect) -> Sql:
    """Write the SQL of what the members agreed to: a row a change of MRR.

    And one a member, with a change of nothing at its beginning.
    """
    since = _ever_since(params)
    entry = entries(priced(since, dialect), dialect)
    member = _members(params, scoped(since).text, dialect)
    nothing: LiteralString = "CAST(0 AS DECIMAL(38, 18))"
    return Sql(
        f"""
        SELECT person, anchor, anchor AS changed_at, '' AS money, {nothing} AS change
        FROM ({member.text}) AS member
        UNION ALL
        SELECT member.person AS person, member.anchor AS anchor,
               entry.occurred_at AS changed_at, entry.currency AS money,
               entry.delta AS change
        FROM ({member.text}) AS member
        JOIN ({entry.text}) AS entry ON member.person = entry.person
        WHERE entry.is_agreed AND entry.occurred_at >= member.anchor
        """,
        {**entry.values, **member.values},
    )


def _ever_since(params: RetentionParams) -> Scope:
    """Return the scope from the cohort's first moment until now."""
    period = params.scope.period
    # Whole milliseconds, and the one that `now` is in is the last.
    end = max(period.end, params.now + timedelta(milliseconds=1))
    return Scope(
        project_id=params.scope.project_id, period=Period("", period.start, end)
    )


def _members(params: RetentionParams, events: LiteralString, dialect: Dialect) -> Sql:
    """Write the SELECT of each `person` of the cohort and its beginning, `anchor`."""
    values: dict[str, Value] = {
        "cohort_event": params.event,
        "cohort_end": params.scope.period.end,
    }
    condition: LiteralString = "name = $cohort_event AND occurred_at < $cohort_end"
    if params.match is not None:
        key, values["wanted"] = params.match
        found = property_sql(key, "string", "wanted_key", dialect)
        condition += f" AND {found.present} AND {found.value} = $wanted"
        values |= found.values
    began: LiteralString = f"SELECT * FROM ({events}) AS event WHERE {condition}"
    text: LiteralString = f"""
        SELECT person, min(occurred_at) AS anchor
        FROM ({with_people(began)}) AS began
        WHERE person IS NOT NULL
        GROUP BY person
    """
    return Sql(text, values)


@dataclass(slots=True)
class _Member:
    """One customer of a cohort, from its beginning on."""

    anchor: datetime
    changes: list[tuple[datetime, str, Decimal]] = field(default_factory=list)

    @property
    def currency(self) -> str:
        """The first that a change of its MRR names; empty where none does."""
        named = [(at, money) for at, money, _ in self.changes if money]
        return min(named, default=(self.anchor, ""))[1]

    def mrr(self, days: int) -> Decimal:
        """Its MRR so many days after its beginning, in its own currency."""
        until, own = self.anchor + timedelta(days), ("", self.currency)
        return added(c for at, money, c in self.changes if at <= until and money in own)


def read_retention(params: RetentionParams, rows: Sequence[Row]) -> Retention:
    """Shape the rows of `select_retention`."""
    members: dict[str, _Member] = {}
    for row in rows:
        member = members.setdefault(row["person"], _Member(row["anchor"]))
        member.changes.append((row["changed_at"], row["money"], row["change"]))
    currencies = Counter(m.currency for m in members.values() if m.currency)
    currency = dominant_currency(
        [Total(name, Decimal(0), count) for name, count in currencies.items()]
    )
    everyone = [*members.values()]
    return Retention(
        cohort=RevenueCohort(params.event, params.scope.period.text),
        size=len(everyone),
        baseline_mrr=amount_number(_mrr(everyone, 0, currency), currency),
        currency=currency,
        retention=[
            _window(everyone, days, currency, params.now)
            for days in params.windows_days
        ],
    )


def _window(
    members: Sequence[_Member], days: int, currency: str, now: datetime
) -> RetentionWindow:
    mature = [m for m in members if m.anchor + timedelta(days) <= now]
    retained = sum(m.mrr(days) > 0 for m in mature)
    at_d, baseline = _mrr(mature, days, currency), _mrr(mature, 0, currency)
    return RetentionWindow(
        window=f"{days}d",
        days=days,
        mature_size=len(mature),
        retained=retained,
        retention_rate=share(Decimal(retained), Decimal(len(mature)))
        if mature
        else None,
        mrr_at_d=amount_number(at_d, currency),
        baseline_mrr_mature=amount_number(baseline, currency),
        nrr=share(at_d, baseline) if baseline > 0 else None,
    )


def _mrr(members: Sequence[_Member], days: int, currency: str) -> Decimal:
    return added(m.mrr(days) for m in members if m.currency in ("", currency))


revenue_retention = Question(
    name="revenue.retention",
    path="/revenue/retention",
    meaning="Whether those who began to pay go on, and whether they pay more or less.",
    parameters=(COHORT_EVENT, COHORT_PERIOD, FILTER_PROPERTY, FILTER_VALUE, WINDOWS),
    read_params=read_retention_params,
    select=select_retention,
    read=read_retention,
)
