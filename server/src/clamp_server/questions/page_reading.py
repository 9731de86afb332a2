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


def select_pages(scope: Scope, limit: int) -> Sql:
    """Write the SQL of the most viewed pages: their views and visitors."""
    source = scoped(scope)
    viewed: LiteralString = f"""
        ({source.text}) AS event
        WHERE sent_by = 'browser' AND name = $pageview AND pathname <> ''
    """
    # To count visitors takes three times as long as to count views, so it is done for
    # those pages alone that have enough views to be listed.
    return Sql(
        f"""
        WITH counted AS (
            SELECT pathname, count(*) AS views FROM {viewed} GROUP BY pathname
        )
        SELECT pathname, count(*) AS pageviews, {VISITORS} AS visitors
        FROM {viewed} AND pathname IN (
            SELECT pathname FROM counted WHERE views >= (
                SELECT min(views) FROM (
                    SELECT views FROM counted ORDER BY views DESC LIMIT $limit
                ) AS most
            )
        )
        GROUP BY pathname
        ORDER BY {_MOST_VIEWED}
        LIMIT $limit
        """,
        {**source.values, "pageview": "$pageview", "limit": limit},
    )


def select_readings(scope: Scope, limit: int, dialect: Dialect) -> Sql:
    """Write the SQL of the same pages, with their ends and beginnings of sessions."""
    page = select_pages(scope, limit)
    source = scoped(scope)
    visit = visits(scope)
    engaged = dialect.digits("strings['engagement_seconds']")
    scrolled = dialect.digits("strings['max_scroll_pct']")
    reached = ", ".join(
        f"count(*) FILTER (WHERE scrolled_pct >= {pct}) AS reached_{pct}"
        for pct in _QUARTERS
    )
    # To read the maps of events takes as long as all the rest, so the ends of pages
    # that are not listed are left out before.
    return Sql(
        f"""
        WITH page AS ({page.text})
        SELECT page.pathname AS pathname, pageviews, visitors, reading.*,
               coalesce(entry.sessions, 0) AS sessions,
               coalesce(entry.bounces, 0) AS bounces
        FROM page
        LEFT JOIN (
            SELECT pathname AS read_page,
                   count(engaged_s) AS readings, sum(engaged_s) AS engaged_s,
                   count(scrolled_pct) AS samples, sum(scrolled_pct) AS scrolled_pct,
                   {reached}
            FROM (
                SELECT pathname, {engaged} AS engaged_s, {scrolled} AS scrolled_pct
                FROM ({source.text}) AS event
                WHERE sent_by = 'browser' AND name = $page_end
                  AND pathname IN (SELECT pathname FROM page)
            ) AS ended
            GROUP BY pathname
        ) AS reading ON page.pathname = reading.read_page
        LEFT JOIN (
            SELECT entry_page, count(*) AS sessions,
                   count(*) FILTER (WHERE views = 1) AS bounces
            FROM ({visit.rows.all(dialect)}) AS visit
            GROUP BY entry_page
        ) AS entry ON page.pathname = entry.entry_page
        ORDER BY {_MOST_VIEWED}
        """,
        {**page.values, **visit.values, "page_end": "$pageview_end"},
    )


_MOST_VIEWED: LiteralString = "pageviews DESC, visitors DESC, pathname"
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
