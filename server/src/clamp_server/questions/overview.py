"""The first thing to ask of traffic: the totals, beside those before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from clamp_server.model.period import Period
from clamp_server.model.project import Project
from clamp_server.model.scope import Scope
from clamp_server.questions.ask import Question
from clamp_server.questions.metric import Metric, read_figures, select_figures
from clamp_server.questions.parameter import FILTERS, PERIOD, Query, read_scope
from clamp_server.questions.proportion import Number, change
from clamp_server.store.sql import Dialect, Row, Sql


@dataclass(frozen=True, slots=True)
class Comparison:
    """The period before, and how much more or less it is now."""

    previous: Number
    change: str


@dataclass(frozen=True, slots=True)
class Comparisons:
    """The period before, figure by figure."""

    pageviews: Comparison
    visitors: Comparison
    sessions: Comparison
    bounce_rate: Comparison


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """The totals of a period.

    Attributes:
        bounce_rate: Sessions with one page view, in percent.
        avg_duration: Of a session, whole seconds.
    """

    pageviews: Number
    visitors: Number
    sessions: Number
    bounce_rate: Number
    avg_duration: Number
    comparison: Comparisons


def read_overview_params(query: Query, project: Project, now: datetime) -> Scope:
    """Read the parameters of `traffic.overview`."""
    return read_scope(query, project, now, leaves_out_bots=True)


def select_overview(scope: Scope, dialect: Dialect) -> Sql:
    """Write the SQL of the totals; it returns exactly one row."""
    period = scope.period
    before = Period("", period.previous_start, period.start)
    return select_figures(scope, before, dialect)


def read_overview(_: Scope, rows: Sequence[Row]) -> Overview:
    """Shape the one row of `select_overview`."""
    (row,) = rows
    now, before = read_figures(row)

    def compared(metric: Metric) -> Comparison:
        old = before.value(metric)
        return Comparison(old, change(now.value(metric), old))

    return Overview(
        pageviews=now.value("pageviews"),
        visitors=now.value("visitors"),
        sessions=now.value("sessions"),
        bounce_rate=now.value("bounce_rate"),
        avg_duration=now.value("avg_duration"),
        comparison=Comparisons(
            pageviews=compared("pageviews"),
            visitors=compared("visitors"),
            sessions=compared("sessions"),
            bounce_rate=compared("bounce_rate"),
        ),
    )


overview = Question(
    name="traffic.overview",
    path="/overview",
    meaning="How much traffic there was, and how much more or less than before.",
    parameters=(PERIOD, *FILTERS),
    read_params=read_overview_params,
    select=select_overview,
    read=read_overview,
)
