"""Every question, for every surface: API, command line, tools and reference."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from clamp_server.questions.ask import Question
from clamp_server.questions.breakdown import breakdown
from clamp_server.questions.compare import compare
from clamp_server.questions.engagement import engagement
from clamp_server.questions.error_context import errors_context
from clamp_server.questions.error_groups import errors_groups
from clamp_server.questions.error_timeline import errors_timeline
from clamp_server.questions.errors import errors_list
from clamp_server.questions.events import events_list
from clamp_server.questions.journey import users_journey
from clamp_server.questions.observed_schema import observed_schema
from clamp_server.questions.overview import overview
from clamp_server.questions.property_values import property_values
from clamp_server.questions.revenue import revenue_list
from clamp_server.questions.revenue_retention import revenue_retention
from clamp_server.questions.revenue_summary import revenue_summary
from clamp_server.questions.revenue_timeseries import revenue_timeseries
from clamp_server.questions.search import search_landing_pages, search_queries
from clamp_server.questions.session_paths import session_paths
from clamp_server.questions.timeseries import timeseries
from clamp_server.questions.traffic import realtime

# Each has its own parameters and answer; a surface passes them through unseen.
AnyQuestion = Question[Any, Any]

QUESTIONS: Mapping[str, AnyQuestion] = MappingProxyType(
    {
        question.name: question
        for question in (
            overview,
            timeseries,
            compare,
            breakdown,
            session_paths,
            engagement,
            realtime,
            events_list,
            observed_schema,
            property_values,
            users_journey,
            revenue_list,
            revenue_summary,
            revenue_timeseries,
            revenue_retention,
            errors_list,
            errors_groups,
            errors_timeline,
            errors_context,
            search_queries,
            search_landing_pages,
        )
    }
)
"""By public name, in the order of the reference."""
