"""How pages are read: views, time, scrolling, and the sections that were seen.

Pages are read in browsers: what servers send is not looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias, get_args

from clamp_server.errors import InvalidRequestError
from clamp_server.model.project import Project
from clamp_server.model.scope import Scope
from clamp_server.questions import page_reading, page_section
from clamp_server.questions.ask import Question
from clamp_server.questions.page_reading import PageReading
from clamp_server.questions.page_section import SectionViews
from clamp_server.questions.parameter import (
    FILTERS,
    LIMIT,
    PERIOD,
    Choice,
    Query,
    read_scope,
)
from clamp_server.store.sql import Dialect, Row, Sql

View: TypeAlias = Literal["summary", "engagement", "sections"]
VIEWS: tuple[View, ...] = get_args(View)
VIEW: Choice[View] = Choice("view", VIEWS, default="summary")


@dataclass(frozen=True, slots=True)
class EngagementParams:
    """What `traffic.engagement` can be asked with.

    Attributes:
        scope: With `view` sections, it has a filter on `pathname`.
    """

    scope: Scope
    limit: int = 10
    view: View = "summary"


@dataclass(frozen=True, slots=True)
class PageViews:
    """One page's views."""

    pathname: str
    pageviews: int
    visitors: int


Answer: TypeAlias = list[PageViews] | list[PageReading] | list[SectionViews]


def read_engagement_params(
    query: Query, project: Project, now: datetime
) -> EngagementParams:
    """Read the parameters of `traffic.engagement`."""
    params = EngagementParams(
        scope=read_scope(query, project, now, leaves_out_bots=True),
        limit=LIMIT.read(query),
        view=VIEW.read(query),
    )
    if params.view == "sections" and "pathname" not in params.scope.filtered:
        raise InvalidRequestError(
            "pathname: missing; view=sections is about one page and needs its path"
        )
    return params


def select_engagement(params: EngagementParams, dialect: Dialect) -> Sql:
    """Write the SQL of the view: a row a page or section."""
    if params.view == "sections":
        return page_section.select_sections(params.scope, params.limit)
    if params.view == "engagement":
        return page_reading.select_readings(params.scope, params.limit, dialect)
    return page_reading.select_pages(params.scope, params.limit)


def read_engagement(params: EngagementParams, rows: Sequence[Row]) -> Answer:
    """Shape the pages, most viewed first, or the sections, most seen first."""
    if params.view == "sections":
        return page_section.read_sections(rows)
    if params.view == "engagement":
        return page_reading.read_readings(rows)
    return [PageViews(**row) for row in rows]


engagement = Question(
    name="traffic.engagement",
    path="/engagement",
    meaning="How pages are read: views, time, scrolling and the sections seen.",
    parameters=(PERIOD, LIMIT, VIEW, *FILTERS),
    read_params=read_engagement_params,
    select=select_engagement,
    read=read_engagement,
)
