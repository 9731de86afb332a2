"""What is kept beside server events is what would be worked out anew."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import pytest
from tests.make import NOON, event, view
from tests.questions.reference import id_key

from clamp_server.model.event import Arrival, EnrichedEvent
from clamp_server.model.ids import ProjectId
from clamp_server.store.on_duckdb import DuckDBStore
from clamp_server.store.sql import Sql

MINUTE = timedelta(minutes=1)
OTHER = ProjectId("proj_other")
BOUGHT = event("bought", anonymous_id="ann")

Placed = tuple[int, str]


def visit(session: str, at: datetime, host: str = "") -> EnrichedEvent:
    """Make a page view of Ann's that came from a host, by default of that name."""
    return view(
        session, at, anonymous_id="ann", arrival=Arrival(referrer_host=host or session)
    )


@pytest.fixture
def joining() -> Iterator[DuckDBStore]:
    """A store that joins whatever it loads at once."""
    store = DuckDBStore(None, join_at_events=1)
    yield store
    store.close()


def placed(store: DuckDBStore) -> list[Placed]:
    """Return of each event with a session to take values from that one and its host."""
    rows = store.rows(
        Sql("SELECT visit_key, first_referrer_host FROM placed_events ORDER BY seq")
    )
    return [(row["visit_key"], row["first_referrer_host"]) for row in rows]


@pytest.mark.parametrize(
    ("loads", "expected"),
    [
        pytest.param([[BOUGHT]], None, id="no session"),
        pytest.param(
            [[visit("a", NOON), BOUGHT]], (id_key("a"), "a"), id="came together"
        ),
        pytest.param(
            [[visit("a", NOON)], [BOUGHT]], (id_key("a"), "a"), id="came after it"
        ),
        pytest.param(
            [[BOUGHT], [visit("a", NOON)]], (id_key("a"), "a"), id="came before it"
        ),
        pytest.param(
            [[BOUGHT], [visit("a", NOON + MINUTE)]],
            (id_key("a"), "a"),
            id="began a minute later",
        ),
        pytest.param(
            [[BOUGHT], [visit("a", NOON + 2 * MINUTE)]],
            None,
            id="began two minutes later",
        ),
        pytest.param(
            [[visit("a", NOON - 99 * MINUTE)], [BOUGHT]],
            (0, "a"),
            id="was over long before",
        ),
        pytest.param(
            [[visit("a", NOON - 99 * MINUTE)], [BOUGHT], [visit("b", NOON)]],
            (id_key("b"), "b"),
            id="one that is nearer came later",
        ),
        pytest.param(
            [
                [visit("a", NOON - 99 * MINUTE, "first")],
                [BOUGHT],
                [visit("a", NOON + 99 * MINUTE, "last")],
            ],
            (id_key("a"), "first"),
            id="went on, as was told later",
        ),
        pytest.param(
            [
                [visit("a", NOON, "second"), BOUGHT],
                [visit("a", NOON - MINUTE, "first")],
            ],
            (id_key("a"), "first"),
            id="began earlier, as was told later",
        ),
        pytest.param(
            [
                [view("a", NOON, anonymous_id="ann", project_id=OTHER)],
                [BOUGHT],
                [view("a", NOON, anonymous_id="ann", project_id=OTHER)],
            ],
            None,
            id="of another project",
        ),
        pytest.param(
            [[view("a", NOON)], [BOUGHT], [view("a", NOON)]],
            None,
            id="of another visitor",
        ),
    ],
)
def test_an_event_is_kept_with_the_session_it_takes_values_from(
    joining: DuckDBStore,
    loads: Sequence[Sequence[EnrichedEvent]],
    expected: Placed | None,
) -> None:
    for load in loads:
        joining.append(load)
        joining.rows(Sql("SELECT 1"))

    assert placed(joining) == ([expected] if expected else [])


def test_events_of_two_projects_are_kept_apart(joining: DuckDBStore) -> None:
    there = event("bought", anonymous_id="ann", project_id=OTHER)
    joining.append([BOUGHT, there])
    joining.rows(Sql("SELECT 1"))
    joining.append(
        [visit("a", NOON), view("b", NOON, anonymous_id="ann", project_id=OTHER)]
    )

    assert placed(joining) == [(id_key("a"), "a"), (id_key("b"), "")]


def test_nobodys_events_are_not_kept(joining: DuckDBStore) -> None:
    joining.append([event("bought"), view("a", NOON, anonymous_id="")])

    assert placed(joining) == []


def test_events_are_placed_when_they_are_joined() -> None:
    store = DuckDBStore(None, join_at_events=3)
    counts = []
    for part in ([visit("a", NOON)], [BOUGHT], [BOUGHT], [BOUGHT]):
        store.append(part)
        counts.append(len(placed(store)))
    store.close()

    assert counts == [0, 0, 2, 2]


def test_a_visitor_with_too_many_events_of_a_session_is_given_up() -> None:
    store = DuckDBStore(None, join_at_events=5_000)
    many = [event(f"bought {n}", anonymous_id="ann") for n in range(5_000)]
    counts = []
    for part in ([visit("a", NOON), *many], many, [visit("a", NOON - MINUTE), *many]):
        store.append([*part, event("bought", anonymous_id="ben"), view("b", NOON)])
        crowded = store.rows(Sql("SELECT visitor_key FROM crowded_visitors"))
        counts.append((len(placed(store)), [row["visitor_key"] for row in crowded]))
    store.close()

    assert counts == [(5_000, []), (10_000, []), (0, [id_key("ann")])]
