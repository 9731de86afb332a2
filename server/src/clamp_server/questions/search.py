"""Search questions: what people searched for before they came.

Nothing is imported from a search engine yet, so the answers have no rows; what may
be asked and the shape of a row are those of the contract already.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from clamp_server.model.project import Project
from clamp_server.questions.ask import Question
from clamp_server.questions.parameter import LIMIT, PERIOD, Query, Text
from clamp_server.store.sql import Dialect, Row, Sql

CONVERSION_EVENT = Text(
    "conversion_event", "an event's name", default="signup_completed"
)


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """One query of a search engine's users.

    Attributes:
        ctr: Clicks an impression, 0.0 to 1.0.
        position: Mean place among the results, from 1.
    """

    query: str
    clicks: int
    impressions: int
    ctr: float
    position: float


@dataclass(frozen=True, slots=True)
class LandingPage:
    """One page that search results led to, and what came of it."""

    page: str
    pathname: str
    clicks: int
    impressions: int
    position: float
    organic_sessions: int
    conversions: int


def read_queries_params(query: Query, project: Project, now: datetime) -> None:
    """Check the parameters of `search.queries`."""
    PERIOD.read(query, project, now)
    LIMIT.read(query)


def read_landing_pages_params(query: Query, project: Project, now: datetime) -> None:
    """Check the parameters of `search.landing_pages`."""
    read_queries_params(query, project, now)
    CONVERSION_EVENT.read(query)


def select_nothing(_: None, __: Dialect) -> Sql:
    """Write a statement without rows."""
    return Sql("SELECT 1 AS nothing LIMIT 0")


def read_queries(_: None, __: Sequence[Row]) -> list[SearchQuery]:
    """Return no queries."""
    return []


def read_landing_pages(_: None, __: Sequence[Row]) -> list[LandingPage]:
    """Return no pages."""
    return []


search_queries = Question(
    name="search.queries",
    path="/search/queries",
    meaning="What people searched for; empty until search data is imported.",
    parameters=(PERIOD, LIMIT),
    read_params=read_queries_params,
    select=select_nothing,
    read=read_queries,
)
search_landing_pages = Question(
    name="search.landing_pages",
    path="/search/landing-pages",
    meaning="Where searches led to; empty until search data is imported.",
    parameters=(PERIOD, LIMIT, CONVERSION_EVENT),
    read_params=read_landing_pages_params,
    select=select_nothing,
    read=read_landing_pages,
)
