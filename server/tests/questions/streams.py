"""What every test on random events shares."""

from __future__ import annotations

import itertools
from collections import ChainMap
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.conftest import FilledStore
from tests.questions.asking import SHOP

from clamp_server.model.event import EnrichedEvent
from clamp_server.model.ids import ProjectId
from clamp_server.model.project import Project
from clamp_server.store.sql import Sql

NUMBER = itertools.count(1)
# Each example has a project of its own in the one store of the test.
every_stream = settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

nothing: st.SearchStrategy[dict[str, str]] = st.just({})


def one_of(name: str, *values: str) -> st.SearchStrategy[dict[str, str]]:
    """Return a strategy for one parameter of a query."""
    return st.sampled_from(values).map(lambda value: {name: value})


def seldom(part: st.SearchStrategy[dict[str, str]]) -> Any:
    """Leave a part out three times in four: what matches nothing shows little."""
    return st.integers(0, 3).flatmap(lambda n: nothing if n else part)


def query(*parts: st.SearchStrategy[dict[str, str]]) -> Any:
    """Return a strategy for a whole query."""
    return st.tuples(*parts).map(lambda found: dict(ChainMap(*found)))


def stored(
    store: FilledStore, stream: list[EnrichedEvent], time_zone: str = "UTC"
) -> Project:
    """Store a stream under a project of its own, in three loads.

    Where events are joined three at a time, the second changes what was joined with
    the first, and the last is not joined.
    """
    project_id = ProjectId(f"proj_{next(NUMBER)}")
    events = [replace(event, project_id=project_id) for event in stream]
    half = len(events) // 2
    for part in (events[:half], events[half:-2], events[half:][-2:]):
        if part:
            store.add(*part)
            # Whoever asks has what waits loaded.
            store.rows(Sql("SELECT 1 AS one"))
    return Project(
        id=project_id,
        name=SHOP.name,
        created_at=SHOP.created_at,
        time_zone=time_zone,
    )
