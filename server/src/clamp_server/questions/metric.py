"""The five figures of traffic, over one or two stretches of time at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, LiteralString, TypeAlias, get_args

from clamp_server.model.period import Period
from clamp_server.model.scope import Scope
from clamp_server.questions.proportion import Number, percent, whole
from clamp_server.store.piece_sql import bounds_within, touches
from clamp_server.store.scope_sql import scoped_pieces
from clamp_server.store.session_rows_sql import any_piece
from clamp_server.store.sql import Dialect, Row, Sql
from clamp_server.store.visit_sql import goes_over, visit_sums

Metric: TypeAlias = Literal[
    "pageviews", "visitors", "sessions", "bounce_rate", "avg_duration"
]
METRICS: tuple[Metric, ...] = get_args(Metric)

_IN_A: LiteralString = "occurred_at >= $a_start AND occurred_at < $a_end"
_IN_B: LiteralString = "occurred_at >= $b_start AND occurred_at < $b_end"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What happened in one stretch of time.

    Attributes:
        bounces: Sessions with exactly one page view.
        duration_ms: Of all sessions together.
    """

    pageviews: int = 0
    visitors: int = 0
    sessions: int = 0
    bounces: int = 0
    duration_ms: int = 0

    def value(self, metric: Metric) -> Number:
        """Return one figure as answers write it; 0 where there is nothing."""
        if metric == "bounce_rate":
            return percent(self.bounces, self.sessions)
        if metric == "avg_duration":
            return whole(self.duration_ms, 1000 * self.sessions)
        figures = {
            "pageviews": self.pageviews,
            "visitors": self.visitors,
            "sessions": self.sessions,
        }
        return figures[metric]


def select_figures(scope: Scope, other: Period, dialect: Dialect) -> Sql:
    """Write the SQL of two periods' figures; it returns exactly one row.

    Args:
        other: The period beside that of `scope`; they may overlap.
    """
    a = scope.period
    both = Period("", min(a.start, other.start), max(a.end, other.end))
    covering = Scope(
        project_id=scope.project_id,
        period=both,
        filters=scope.filters,
        leaves_out_bots=scope.leaves_out_bots,
    )
    piece = scoped_pieces(
        covering, dialect, bounds=(a.start, a.end, other.start, other.end)
    )
    visit = visit_sums(
        covering,
        dialect,
        {
            "is_a": any_piece(touches("a_start", "a_end")),
            "is_b": any_piece(touches("b_start", "b_end")),
        },
        [goes_over(end) for end in ("a_start", "a_end", "b_start", "b_end")],
        (*bounds_within(a.start, a.end), *bounds_within(other.start, other.end)),
    )
    # Read once: to keep the pieces for two readers takes longer than to make them.
    return Sql(
        f"""
        SELECT * FROM (
            SELECT {_of_pieces("a", _IN_A)}, {_of_pieces("b", _IN_B)}
            FROM ({piece.text}) AS piece
        ) AS seen CROSS JOIN (
            SELECT {_of_visits("a")}, {_of_visits("b")}
            FROM ({visit.rows.all(dialect)}) AS visit
        ) AS visit
        """,
        {
            **piece.values,
            **visit.values,
            "a_start": a.start,
            "a_end": a.end,
            "b_start": other.start,
            "b_end": other.end,
        },
    )


def read_figures(row: Row) -> tuple[Figures, Figures]:
    """Return the figures of a scope and those of the period beside it."""
    names = Figures.__slots__
    a, b = ({name: row[f"{x}_{name}"] for name in names} for x in ("a", "b"))
    return Figures(**a), Figures(**b)


def _of_pieces(prefix: LiteralString, condition: LiteralString) -> LiteralString:
    # Half the time of a row a visitor that says in which periods it was seen.
    return f"""
        coalesce(sum(CASE WHEN {condition} THEN page_views ELSE 0 END), 0)
            AS {prefix}_pageviews,
        count(DISTINCT CASE WHEN {condition} THEN nullif(visitor_key, 0) END)
            AS {prefix}_visitors
    """


def _of_visits(prefix: LiteralString) -> LiteralString:
    return f"""
        coalesce(sum(is_{prefix} * sessions), 0) AS {prefix}_sessions,
        coalesce(sum(is_{prefix} * bounces), 0) AS {prefix}_bounces,
        coalesce(sum(is_{prefix} * duration_ms), 0) AS {prefix}_duration_ms
    """
