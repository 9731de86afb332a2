"""How long questions take on DuckDB: `python server/bench/questions.py`.

Each is asked for 30 of 90 days, five times after one to warm up, on a file that
`traffic_file.py` made; the median is what counts. One that takes over 3 s is asked
twice, one that the store stops has no figure. What is saved is asked for by name: a
funnel of four steps, and a cohort of those who paid.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import traffic_file
from ingest import machine
from traffic_file import NOW, PROJECT_ID, visitor_id

from clamp_server.errors import InvalidRequestError, StoreUnavailableError
from clamp_server.model.cohort import CohortDefinition
from clamp_server.model.dimension import DIMENSIONS
from clamp_server.model.ids import ProjectId
from clamp_server.model.project import Project
from clamp_server.questions.ask import ask
from clamp_server.questions.registry import QUESTIONS
from clamp_server.questions.saved import Desk
from clamp_server.questions.saved_registry import SAVED
from clamp_server.store.catalog import Catalog
from clamp_server.store.on_duckdb import DuckDBStore
from clamp_server.store.sql import EventStore

PROJECT = Project(id=ProjectId(PROJECT_ID), name="Bench", created_at=NOW)
TIMES = 5
SLOW_MS = 3000
# Milliseconds; what has none here is printed without.
BARS = {
    "traffic.overview": 300,
    "traffic.timeseries": 300,
    "traffic.breakdown": 300,
    "traffic.session_paths": 800,
    "traffic.engagement": 800,
    "traffic.realtime": 100,
    "users.journey": 50,
    "errors.list": 100,
    "errors.groups": 100,
    "funnels.list": 800,
    "cohorts.retention": 800,
}
FUNNEL = ("pageview:/p/*", "$pageview_end", "pageview:/p/*", "order_paid[plan=pro]")
# The queries of the questions that need one, or that have more than one cost.
QUERIES: dict[str, tuple[dict[str, str], ...]] = {
    "traffic.timeseries": (
        {},
        {"metric": "visitors"},
        {"metric": "sessions"},
        {"metric": "avg_duration"},
    ),
    "traffic.overview": ({}, {"country": "DE"}),
    "traffic.compare": ({"metric": "visitors", "a": "7d", "b": "yesterday"},),
    "traffic.breakdown": tuple(
        {"dimension": name} for name in (*DIMENSIONS, "entry_page", "exit_page")
    ),
    "traffic.engagement": ({}, {"view": "engagement"}),
    "users.journey": ({"anonymous_id": visitor_id(1)},),
    "errors.context": (
        {"anonymous_id": visitor_id(1), "before_timestamp": "2026-06-01T00:00:00Z"},
    ),
    "events.property_values": ({"event": "order_paid", "property": "plan"},),
    "revenue.list": (
        {},
        {"group_by": "channel"},
        {"group_by": "channel", "attribution_model": "first_touch"},
    ),
    "revenue.summary": ({}, {"country": "DE"}),
    "revenue.timeseries": ({}, {"metric": "mrr"}),
    "revenue.retention": ({"cohort_event": "order_paid"},),
    "funnels.list": ({"name": "bench"}, {"name": "bench", "country": "DE"}),
    "cohorts.list": ({"name": "bench"},),
    "cohorts.retention": ({"name": "bench"},),
}


def desk(store: EventStore, directory: Path) -> Desk:
    """Return a desk with a new catalog, which has a funnel and a cohort."""
    # With this for a token, the project has the id that its events have.
    catalog = Catalog(
        f"sqlite:///{directory}/catalog.sqlite", lambda: NOW, lambda: "bench"
    )
    catalog.migrate()
    project = catalog.create_project(PROJECT.name)
    catalog.save_funnel(project.id, "bench", FUNNEL)
    catalog.save_cohort(project.id, "bench", CohortDefinition("order_paid", "30d"))
    return Desk(store, catalog, project, NOW)


def asked() -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the name of every question, and each query that it is asked with."""
    for name in (*QUESTIONS, "funnels.list", "cohorts.list", "cohorts.retention"):
        for query in QUERIES.get(name, ({},)):
            yield name, query


def answer(at: Desk, name: str, query: dict[str, str]) -> object:
    if name in SAVED:
        return SAVED[name].run(at, query, None)
    question = QUESTIONS[name]
    return ask(at.store, question, question.read_params(query, at.project, at.now))


def milliseconds(at: Desk, name: str, query: dict[str, str]) -> float:
    took: list[float] = []
    while len(took) < (TIMES + 1 if max(took, default=0) < SLOW_MS else 2):
        began = time.perf_counter()
        answer(at, name, query)
        took.append(1000 * (time.perf_counter() - began))
    return statistics.median(took[1:])


def measure(path: Path, only: str, directory: Path) -> None:
    store = DuckDBStore(path)
    at = desk(store, directory)
    print(f"{'question':64}{'ms':>8}{'bar':>6}")
    for name, query in asked():
        words = " ".join([name, *(f"{key}={value}" for key, value in query.items())])
        if only in words:
            try:
                took = f"{milliseconds(at, name, query):.0f}"
            except StoreUnavailableError:
                took = "stopped"
            except InvalidRequestError as error:
                took = f"not asked, {error}"
            bar = f"{BARS[name]:6}" if name in BARS else ""
            print(f"{words:64}{took:>8}{bar}", flush=True)
    at.catalog.close()
    store.close()
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"\n{machine()}, {peak_mb} MB at most\npython {' '.join(sys.argv)}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="200,000 events")
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--file", type=Path, help="kept, and used again when there")
    parser.add_argument("--only", default="", help="questions with this in their name")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory("clamp-bench") as directory:
        file = given.file or Path(directory) / "events.duckdb"
        if not file.exists():
            traffic_file.fill(file, 200_000 if given.quick else given.events)
        measure(file, given.only, Path(directory))
