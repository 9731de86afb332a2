"""Pieces are there for speed alone: however events are cut, the whole is the same."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any

import pytest
from msgspec.structs import replace
from tests.conftest import FilledStore
from tests.make import NOON, PROJECT, event, view
from tests.questions.reference import id_key, place

from clamp_server.model.dimension import Dimension
from clamp_server.model.event import Device, EnrichedEvent, Page, Place, Properties
from clamp_server.model.ids import ProjectId
from clamp_server.store.on_duckdb import DuckDBStore
from clamp_server.store.piece_sql import pieces
from clamp_server.store.sql import EventStore, Row, Sql

SECOND, QUARTER = timedelta(seconds=1), timedelta(minutes=15)
START, END = NOON - timedelta(days=9), NOON + timedelta(days=9)
SHOWN = "pathname, exit_pathname, occurred_at, last_at, events, page_views, engaged_s"
EPOCH = datetime.fromisoformat("1970-01-01T00:00Z")


def read_for(seconds: str, at: datetime, path: str) -> EnrichedEvent:
    """Make the end of a page view in the session `s`."""
    properties = Properties(strings={"engagement_seconds": seconds})
    return replace(view("s", at, path), name="$pageview_end", properties=properties)


def shown(
    store: EventStore, *bounds: datetime, dimensions: tuple[Dimension, ...] = ()
) -> list[Row]:
    """Return the pieces of all events."""
    piece = pieces(
        "occurred_at >= $start AND occurred_at < $end",
        (START, END, *bounds),
        dimensions,
    )
    return store.rows(
        Sql(
            f"SELECT {SHOWN} FROM ({piece.text}) AS piece"
            " ORDER BY occurred_at, last_at, pathname, exit_pathname",
            {**piece.values, "project_id": PROJECT, "start": START, "end": END},
        )
    )


def row(*cells: Any) -> Row:
    return dict(zip(SHOWN.split(", "), cells, strict=True))


@pytest.fixture
def joining() -> Iterator[DuckDBStore]:
    """A store that joins whatever it loads at once."""
    store = DuckDBStore(None, join_at_events=1)
    yield store
    store.close()


def test_a_quarter_of_an_hour_of_a_session_is_one_piece(joining: DuckDBStore) -> None:
    joining.append(
        [
            read_for("7", NOON + 9 * SECOND, "/z"),
            view("s", NOON + 2 * SECOND, "/b"),
            view("s", NOON + SECOND, "/c"),
            read_for("5", NOON, "/a"),
            view("t", NOON),
        ]
    )

    assert shown(joining) == [
        row("/", "/", NOON, NOON, 1, 1, 0),
        row("/c", "/b", NOON, NOON + 9 * SECOND, 4, 2, 12),
    ]


def test_without_a_page_view_a_piece_has_its_first_and_last_path(
    joining: DuckDBStore,
) -> None:
    joining.append([read_for("5", NOON + SECOND, "/b"), read_for("5", NOON, "/a")])

    assert shown(joining) == [row("/a", "/b", NOON, NOON + SECOND, 2, 0, 10)]


def test_another_value_or_quarter_makes_another_piece(joining: DuckDBStore) -> None:
    elsewhere = replace(view("s", NOON + SECOND), place=Place(country="DE"))
    joining.append([view("s", NOON), elsewhere, view("s", NOON + QUARTER)])

    assert shown(joining) == [
        row("/", "/", NOON, NOON, 1, 1, 0),
        row("/", "/", NOON + SECOND, NOON + SECOND, 1, 1, 0),
        row("/", "/", NOON + QUARTER, NOON + QUARTER, 1, 1, 0),
    ]


def test_what_servers_send_is_in_no_piece(store: FilledStore) -> None:
    store.add(event("a"), event("b"), event("c"), view("s"))

    assert store.rows(Sql("SELECT sum(events) AS events FROM visit_pieces")) == [
        {"events": 1}
    ]


def test_each_event_of_a_server_is_a_piece_joined_or_not(store: FilledStore) -> None:
    ann = id_key("ann")
    store.add(event("$pageview", NOON, anonymous_id="ann"), view("s"), event("a"))
    store.rows(Sql("SELECT 1 AS one"))
    store.add(event("b", NOON + SECOND, page=Page(pathname="/b"), anonymous_id="ann"))

    rows = store.rows(
        Sql(
            "SELECT visitor_key, pathname, occurred_at, events, page_views"
            " FROM served_pieces ORDER BY occurred_at, visitor_key"
        )
    )

    assert [tuple(row.values()) for row in rows] == [
        (0, "", NOON, 1, 0),
        (ann, "", NOON, 1, 1),
        (ann, "/b", NOON + SECOND, 1, 0),
    ]


def test_what_comes_later_is_a_piece_of_its_own(joining: DuckDBStore) -> None:
    for at in (NOON, NOON + SECOND):
        joining.append([view("s", at)])
        assert shown(joining)[-1] == row("/", "/", at, at, 1, 1, 0)

    assert len(shown(joining)) == 2


def test_what_is_not_joined_yet_is_there_event_by_event() -> None:
    store = DuckDBStore(None, join_at_events=3)
    views = [view("s", NOON + n * SECOND) for n in range(4)]
    counts = []
    for part in (views[:2], views[2:3], views[3:]):
        store.append(part)
        counts.append([piece["events"] for piece in shown(store)])
    store.close()

    assert counts == [[1, 1], [3], [3, 1]]


def further(store: DuckDBStore) -> list[tuple[str, int, bool]]:
    """Return of each piece its path, its events and whether its session had another."""
    rows = store.rows(
        Sql(
            "SELECT pathname, events, is_further FROM visit_pieces"
            " ORDER BY occurred_at, pathname"
        )
    )
    return [(row["pathname"], row["events"], row["is_further"]) for row in rows]


def test_of_a_sessions_pieces_the_first_to_be_joined_is_no_further_one() -> None:
    store = DuckDBStore(None, join_at_events=2)
    found = []
    for number, (path, at) in enumerate(
        [("/c", 2 * QUARTER), ("/a", 0 * QUARTER), ("/d", 3 * QUARTER)]
    ):
        store.append([view("s", NOON + at, path), view(f"t{number}", NOON + at)])
        found.append(further(store))
    store.append([view("s", NOON + 4 * QUARTER, "/e")])
    found.append(further(store))
    store.close()

    others = ("/", 1, False)
    assert found == [
        [others, ("/c", 1, False)],
        [others, ("/a", 1, True), others, ("/c", 1, False)],
        [others, ("/a", 1, True), others, ("/c", 1, False), others, ("/d", 1, True)],
        # What is not joined yet may be anything.
        [*found[2], ("/e", 1, True)],
    ]


def test_of_pieces_that_are_joined_together_all_but_one_are_further_ones(
    joining: DuckDBStore,
) -> None:
    joining.append([view("s", NOON + n * QUARTER, f"/{n}") for n in range(3)])

    assert sorted(is_further for _, _, is_further in further(joining)) == [
        False,
        True,
        True,
    ]


def test_a_session_of_another_project_makes_no_piece_a_further_one(
    joining: DuckDBStore,
) -> None:
    joining.append([view("s", NOON)])
    joining.append([replace(view("s", NOON), project_id=ProjectId("proj_other"))])

    assert further(joining) == [("/", 1, False), ("/", 1, False)]


ADDED = "session_from, session_until, added_ms, added_bounces, is_alike, is_one_kind"


def added(store: DuckDBStore) -> list[tuple[Any, ...]]:
    """Return what each piece of the session `s` adds to it, as they were joined."""
    rows = store.rows(
        Sql(
            f"SELECT {ADDED} FROM visit_pieces WHERE session_key = $key",
            {"key": id_key("s")},
        )
    )
    return [tuple(row.values()) for row in rows]


def join(store: DuckDBStore, *events: EnrichedEvent) -> None:
    """Load events, and join them if that is due."""
    store.append(events)
    store.rows(Sql("SELECT 1 AS one"))


def test_a_piece_adds_to_what_was_joined_before_it(joining: DuckDBStore) -> None:
    at = [NOON + n * QUARTER for n in range(4)]
    join(joining, view("s", at[1]), view("t", at[0]))
    join(joining, read_for("4000", at[2], "/"))
    join(joining, view("s", at[3]))
    # It came late.
    join(joining, read_for("5", at[0], "/"))

    assert added(joining) == [
        (at[1], at[1], 0, 1, True, True),
        (at[1], at[2], 4_000_000, 0, True, True),
        (at[1], at[3], 0, -1, True, True),
        (at[0], at[3], 5_000, 0, True, True),
    ]


def test_pieces_that_are_joined_together_add_to_each_other(
    joining: DuckDBStore,
) -> None:
    join(joining, read_for("7", NOON, "/"))
    join(joining, *(view("s", NOON + n * QUARTER) for n in (1, 2, 3)))

    found = added(joining)

    assert found[0] == (NOON, NOON, 7_000, 0, True, True)
    assert sum(ms for _, _, ms, *_ in found) == 3 * 15 * 60 * 1000
    assert [bounces for *_, bounces, _, _ in found] == [0, 1, -1, 0]
    assert found[-1][:2] == (NOON, max(until for _, until, *_ in found))


def test_a_piece_knows_whether_the_values_are_the_same_until_then(
    joining: DuckDBStore,
) -> None:
    other = replace(view("s", NOON + 2 * SECOND), place=Place(country="DE"))
    bot = replace(view("s", NOON), device=Device(device_type="bot"))
    for sent in (view("s", NOON, "/a"), view("s", NOON, "/b"), other, bot, other):
        join(joining, sent)

    assert [row[-2:] for row in added(joining)] == [
        (True, True),
        (True, True),
        (False, True),
        (False, False),
        (False, False),
    ]


def test_nobody_knows_what_an_event_adds_that_is_not_joined_yet() -> None:
    store = DuckDBStore(None, join_at_events=9)
    store.append([view("s", NOON)])

    found = added(store)
    store.close()

    assert found == [(None, None, None, None, False, False)]


def test_a_piece_is_cut_where_a_bound_is_inside_of_it(joining: DuckDBStore) -> None:
    views = [view("s", NOON + n * SECOND) for n in range(3)]
    later = [view("s", NOON + n * QUARTER) for n in (1, 2)]
    joining.append([*views, *later])

    def events(*bounds: datetime) -> list[int]:
        return [piece["events"] for piece in shown(joining, *bounds)]

    assert events() == [3, 1, 1]
    assert events(NOON, NOON + QUARTER) == [3, 1, 1]
    assert events(NOON + SECOND) == [1, 1, 1, 1, 1]
    assert events(NOON + SECOND, NOON + 2 * SECOND, NOON) == [1, 1, 1, 1, 1]


def test_with_a_path_and_other_values_each_event_is_a_piece(
    joining: DuckDBStore,
) -> None:
    joining.append([view("s", NOON, "/a"), view("s", NOON + SECOND, "/a")])

    found = shown(joining, dimensions=("country", "pathname"))

    assert [(piece["pathname"], piece["events"]) for piece in found] == [("/a", 1)] * 2


def of_paths(store: DuckDBStore, *bounds: datetime) -> list[tuple[Any, ...]]:
    """Return of each piece of a path that, its start, its events and page views."""
    piece = pieces(
        "occurred_at >= $start AND occurred_at < $end",
        (START, END, *bounds),
        ("pathname", "device_type"),
        ("pathname", "occurred_at", "events", "page_views"),
    )
    rows = store.rows(
        Sql(
            f"SELECT * FROM ({piece.text}) AS piece ORDER BY occurred_at, pathname",
            {**piece.values, "project_id": PROJECT, "start": START, "end": END},
        )
    )
    return [tuple(row.values()) for row in rows]


def test_a_quarter_of_an_hour_of_a_visitor_on_a_path_is_one_piece(
    joining: DuckDBStore,
) -> None:
    joining.append(
        [
            read_for("7", NOON + 9 * SECOND, "/a"),
            view("s", NOON, "/a"),
            view("s", NOON + SECOND, "/b"),
            view("t", NOON + SECOND, "/a"),
            view("s", NOON + QUARTER, "/a"),
            event("bought", NOON, page=Page(pathname="/a"), anonymous_id="s"),
        ]
    )
    pieces_of_it = of_paths(joining)
    joining.append([view("s", NOON + 2 * SECOND, "/a")])

    assert pieces_of_it == [
        ("/a", NOON, 2, 1),
        ("/a", NOON + SECOND, 1, 1),
        ("/b", NOON + SECOND, 1, 1),
        ("/a", NOON + QUARTER, 1, 1),
    ]
    assert of_paths(joining) == sorted(
        [*pieces_of_it, ("/a", NOON + 2 * SECOND, 1, 1)], key=itemgetter(1, 0)
    )
    assert of_paths(joining, NOON + 2 * SECOND)[0] == ("/a", NOON, 1, 1)


@pytest.mark.parametrize("name", ["s", "ü/☕", "x" * 128])
def test_a_key_is_the_lower_half_of_an_md5(store: FilledStore, name: str) -> None:
    store.add(view(name, NOON), event("bought", NOON + SECOND))

    rows = store.rows(
        Sql("SELECT visitor_key, session_key FROM events ORDER BY occurred_at")
    )

    keys = [(row["visitor_key"], row["session_key"]) for row in rows]
    assert keys == [(id_key(name), id_key(name)), (0, 0)]


def test_orders_are_the_same_numbers_everywhere(store: FilledStore) -> None:
    store.add(view("s", NOON), replace(view("s", NOON), name="clicked"))

    rows = store.rows(
        Sql(
            "SELECT entry_order, exit_order, start_order, end_order FROM visit_pieces"
            " ORDER BY entry_order"
        )
    )

    millisecond = (NOON - EPOCH) // timedelta(milliseconds=1) * 2**20
    _, tie = place(view("s", NOON))
    span, of_view = millisecond + id_key("s") % 2**20, millisecond + tie
    assert [tuple(row.values()) for row in rows] == [
        (of_view, of_view + 2**62, span, span),
        (of_view + 2**62, of_view, span, span),
    ]
