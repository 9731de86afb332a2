"""How far and how long each page is read; a view of `traffic.engagement`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import LiteralString

from clamp_server.model.scope import Scope
from clamp_server.questions.proportion import percent, tenths
from clamp_server.store.scope_sql import VISITORS, scoped
from clamp_server.store.sql import Dialect, Row, Sql
from clamp_server.store.visit_sql import visits


@dataclass(frozen=True, slots=True)
class ScrollDistribution:
    """How many readings got how far, in percent of all that tell.

    Attributes:
        samples: Readings that tell how far they got; at least 1.
    """

    samples: int
    pct_reached_25: float
    pct_reached_50: float
    pct_reached_75: float
    pct_reached_100: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PageReading:
    """One page; None where nothing is known.

    Attributes:
        avg_engagement_seconds: Over the readings that tell, one decimal.
        bounce_rate: Of the sessions that began there, in percent.
        avg_max_scroll: In percent of the page, one decimal.
    """

    pathname: str
    pageviews: int
    visitors: int
    avg_engagement_seconds: float | None
    bounce_rate: float | None
    avg_max_scroll: float | None
    scroll_distribution: ScrollDistribution | None


def select_readings(scope: Scope, limit: int, dialect: Dialect) -> Sql:
    """Write the SQL of the pages: their views, ends and beginnings of sessions."""
    source = scoped(scope)
    visit = visits(scope)
    engaged = dialect.digits("strings['engagement_seconds']")
    scrolled = dialect.digits("strings['max_scroll_pct']")
    reached = ", ".join(
        f"count(*) FILTER (WHERE scrolled_pct >= {pct}) AS reached_{pct}"
        for pct in _QUARTERS
    )
    return Sql(
        f"""
        SELECT page.*, coalesce(entry.sessions, 0) AS sessions,
               coalesce(entry.bounces, 0) AS bounces
        FROM (
            SELECT pathname, count(*) FILTER (WHERE name = $pageview) AS pageviews,
                   {VISITORS} AS visitors,
                   count(engaged_s) AS readings, sum(engaged_s) AS engaged_s,
                   count(scrolled_pct) AS samples, sum(scrolled_pct) AS scrolled_pct,
                   {reached}
            FROM (
                SELECT name, pathname,
                       CASE WHEN name = $pageview THEN visitor_key ELSE 0 END
                           AS visitor_key,
                       CASE WHEN name = $page_end THEN {engaged} END AS engaged_s,
                       CASE WHEN name = $page_end THEN {scrolled} END AS scrolled_pct
                FROM ({source.text}) AS event
                WHERE sent_by = 'browser' AND name IN ($pageview, $page_end)
                  AND pathname <> ''
            ) AS reading
            GROUP BY pathname
            HAVING count(*) FILTER (WHERE name = $pageview) > 0
            ORDER BY pageviews DESC, visitors DESC, pathname
            LIMIT $limit
        ) AS page
        LEFT JOIN (
            SELECT entry_page, count(*) AS sessions,
                   count(*) FILTER (WHERE views = 1) AS bounces
            FROM ({visit.text}) AS visit
            GROUP BY entry_page
        ) AS entry ON page.pathname = entry.entry_page
        ORDER BY pageviews DESC, visitors DESC, pathname
        """,
        {
            **source.values,
            **visit.values,
            "pageview": "$pageview",
            "page_end": "$pageview_end",
            "limit": limit,
        },
    )


_QUARTERS: tuple[LiteralString, ...] = ("25", "50", "75", "100")


def read_readings(rows: Sequence[Row]) -> list[PageReading]:
    """Shape the rows of `select_readings`."""
    return [
        PageReading(
            pathname=row["pathname"],
            pageviews=row["pageviews"],
            visitors=row["visitors"],
            avg_engagement_seconds=_mean(row["engaged_s"], row["readings"]),
            bounce_rate=(
                percent(row["bounces"], row["sessions"]) if row["sessions"] else None
            ),
            avg_max_scroll=_mean(row["scrolled_pct"], row["samples"]),
            scroll_distribution=_distribution(row) if row["samples"] else None,
        )
        for row in rows
    ]


def _mean(total: int | None, count: int) -> float | None:
    return tenths(total, count) if total is not None else None


def _distribution(row: Row) -> ScrollDistribution:
    samples = row["samples"]
    return ScrollDistribution(
        samples, *(percent(row[f"reached_{pct}"], samples) for pct in _QUARTERS)
    )
