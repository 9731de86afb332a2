"""One figure of two periods, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from clamp_server.model.period import Period
from clamp_server.model.project import Project
from clamp_server.model.scope import Scope
from clamp_server.questions.ask import Question
from clamp_server.questions.metric import (
    METRICS,
    Metric,
    read_figures,
    select_figures,
)
from clamp_server.questions.parameter import (
    FILTERS,
    Choice,
    Query,
    Span,
    read_scope,
)
from clamp_server.questions.proportion import Number, change, difference
from clamp_server.store.sql import Dialect, Row, Sql

METRIC: Choice[Metric] = Choice("metric", METRICS, default="")
PERIOD_A, PERIOD_B = Span("a", default=""), Span("b", default="")


@dataclass(frozen=True, slots=True)
class CompareParams:
    """What `traffic.compare` can be asked with; the scope has the first period."""

    metric: Metric
    scope: Scope
    b: Period


@dataclass(frozen=True, slots=True)
class PeriodValue:
    """One figure of one period."""

    period: str
    value: Number


@dataclass(frozen=True, slots=True)
class Compared:
    """One figure of two periods, and what the first has more than the second."""

    metric: Metric
    a: PeriodValue
    b: PeriodValue
    absolute_delta: Number
    pct_delta: str


def read_compare_params(query: Query, project: Project, now: datetime) -> CompareParams:
    """Read the parameters of `traffic.compare`."""
    metric = METRIC.read(query)
    a, b = (period.read(query, project, now) for period in (PERIOD_A, PERIOD_B))
    scope = read_scope(query, project, now, leaves_out_bots=True)
    return CompareParams(metric, replace(scope, period=a), b)


def select_compare(params: CompareParams, dialect: Dialect) -> Sql:
    """Write the SQL of both periods' figures; it returns exactly one row."""
    return select_figures(params.scope, params.b, dialect)


def read_compare(params: CompareParams, rows: Sequence[Row]) -> Compared:
    """Shape the one row of `select_compare`."""
    (row,) = rows
    a, b = (figures.value(params.metric) for figures in read_figures(row))
    return Compared(
        metric=params.metric,
        a=PeriodValue(params.scope.period.text, a),
        b=PeriodValue(params.b.text, b),
        absolute_delta=difference(a, b),
        pct_delta=change(a, b),
    )


compare = Question(
    name="traffic.compare",
    path="/compare",
    meaning="How one figure of two periods differs.",
    parameters=(METRIC, PERIOD_A, PERIOD_B, *FILTERS),
    read_params=read_compare_params,
    select=select_compare,
    read=read_compare,
)
