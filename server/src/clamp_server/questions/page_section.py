"""Which sections of one page are seen; a view of `traffic.engagement`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from clamp_server.model.scope import Scope
from clamp_server.questions.proportion import percent
from clamp_server.store.scope_sql import scoped
from clamp_server.store.sql import Row, Sql


@dataclass(frozen=True, slots=True)
class SectionViews:
    """One section of the page.

    Attributes:
        views: Sessions that saw it.
        view_rate: Those in percent of the page's views; None without any.
        pageviews: Views of the whole page.
    """

    section: str
    views: int
    view_rate: float | None
    pageviews: int


def select_sections(scope: Scope, limit: int) -> Sql:
    """Write the SQL of the sections of the page that `scope` has a filter on."""
    (page,) = (value for name, value in scope.filters if name == "pathname")
    # An application of one page may have moved on when the event is sent, so what
    # the event says of the path comes before its address.
    elsewhere = tuple(pair for pair in scope.filters if pair[0] != "pathname")
    scope = replace(scope, filters=elsewhere)
    source = scoped(scope)
    return Sql(
        f"""
        SELECT section, views, pageviews
        FROM (
            SELECT section, count(DISTINCT session_id) AS views
            FROM (
                SELECT session_id, coalesce(strings['section'], '') AS section,
                       coalesce(nullif(strings['pathname'], ''), pathname) AS page
                FROM ({source.text}) AS event
                WHERE sent_by = 'browser' AND session_id <> ''
                  AND name = $section_viewed
            ) AS seen
            WHERE section <> '' AND page = $page
            GROUP BY section
        ) AS section
        CROSS JOIN (
            SELECT count(*) AS pageviews
            FROM ({source.text}) AS event
            WHERE sent_by = 'browser' AND name = $pageview AND pathname = $page
        ) AS page
        ORDER BY views DESC, section
        LIMIT $limit
        """,
        {
            **source.values,
            "pageview": "$pageview",
            "section_viewed": "$section_viewed",
            "page": page,
            "limit": limit,
        },
    )


def read_sections(rows: Sequence[Row]) -> list[SectionViews]:
    """Shape the rows of `select_sections`, most seen first."""
    return [
        SectionViews(
            section=row["section"],
            views=row["views"],
            view_rate=percent(row["views"], n) if (n := row["pageviews"]) else None,
            pageviews=n,
        )
        for row in rows
    ]
