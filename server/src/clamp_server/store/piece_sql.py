"""Pieces of visits, as SQL: what questions about traffic read in place of events.

A piece is what one session did within a quarter of an hour of UTC, or a part of
that: how many events and page views, its first and last instant, its values.
DuckDB keeps those of browsers beside the events
(`migrations/duckdb/0002_visit_pieces.sql`), a quarter of their number and without
their weight; what it has not joined yet, what servers send, and everything in
ClickHouse, is a piece of one event. However the events are cut into pieces, the
answers are the same.

Two other kinds are kept apart, with fewer columns. `path_pieces` are what one visitor
did on one path in a quarter of an hour; `served_pieces` what servers sent, by event.

A piece that `is_further` is one whose session had another when it was joined, or may
have had. Take whichever of a session's pieces: at most one of them is not marked so.

What is joined has also what it adds to its session, `added_ms` and `added_bounces`,
and what was known of that then: `session_from` and `session_until`, its first and last
instant, and whether all its pieces have the same values beside the path (`is_alike`),
or at least all or none of them are a bot's (`is_one_kind`). Of an event that is not
joined nothing is known.

Beside the sixteen dimensions a piece has `occurred_at` and `last_at`, its first and
last instant; the sums `events`, `page_views` and `engaged_s`; and `entry_order`, the
lower the earlier its first page view, with that one's `pathname`, and `exit_order`,
the higher the later its last, with that one's `exit_pathname`. Any page view is before
and after everything that is none. `start_order` and `end_order` are `occurred_at` and
`last_at` to put sessions in order by.

An order is the milliseconds since 1970 and below them 20 bits, of the MD5 of the
sixteen values or of the session's key: of two that have one millisecond, the same one
has to be first in whichever order they arrived. As one number it is ten times as fast
as a tuple.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import LiteralString

from clamp_server.model.dimension import DIMENSIONS, Dimension
from clamp_server.store.sql import Sql, Value, literal

PIECE_COLUMNS: tuple[LiteralString, ...] = (
    "sent_by",
    "session_key",
    "visitor_key",
    *DIMENSIONS,
    "exit_pathname",
    "occurred_at",
    "last_at",
    "entry_order",
    "exit_order",
    "start_order",
    "end_order",
    "events",
    "page_views",
    "engaged_s",
    "is_further",
)

SLOT = timedelta(minutes=15)
"""What one piece is within."""

# The dimensions of `path_pieces`.
_OF_PATH: frozenset[Dimension] = frozenset({"pathname", "device_type"})
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_YEAR_1 = datetime.min.replace(tzinfo=UTC)


def pieces(
    condition: LiteralString,
    bounds: Collection[datetime],
    dimensions: Collection[Dimension] = (),
    columns: Collection[LiteralString] = PIECE_COLUMNS,
) -> Sql:
    """Write the SELECT of what a project's browsers sent, as pieces.

    It binds `$project_id`.

    Args:
        condition: Which of them; it has to leave out what servers sent.
        bounds: Every instant that the statement compares `occurred_at` with: each
            piece is wholly before it, or not before it.
        dimensions: Those that every event of a piece has to have the value of. A
            session has many paths, so with `pathname` a piece is of one visitor, path
            and kind of device; with others beside it, each event is a piece.
        columns: What is selected of them. A statement takes the longer to plan the
            more there are.
    """
    view: LiteralString = "visit_pieces"
    if "pathname" in dimensions:
        if not _OF_PATH.issuperset(dimensions):
            return Sql(_selected("single_pieces", condition, columns))
        view = "path_pieces"
    kept = _selected(view, condition, columns)
    single: LiteralString = ""
    values: dict[str, Value] = {}
    # A quarter of an hour that a bound is inside of is read event by event.
    cut = {begun for bound in bounds if (begun := slot_of(bound)) != bound}
    for start in sorted(cut):
        # One quarter has one name in all of a statement.
        name: LiteralString = f"cut_{literal((start - _YEAR_1) // SLOT)}"
        within: LiteralString = f"occurred_at >= ${name} AND occurred_at < ${name}_end"
        kept += f" AND NOT ({within})"
        cut_up = _selected("single_pieces", f"{condition} AND {within}", columns)
        single += f" UNION ALL {cut_up}"
        values |= {name: start, f"{name}_end": start + SLOT}
    return Sql(kept + single, values)


def touches(start: LiteralString, end: LiteralString) -> LiteralString:
    """Write whether a piece has any event from `$start` until before `$end`.

    Args:
        start: The name of a value, like `end`. Both are among the `bounds` of
            `pieces`, as far as `bounds_within` says.
    """
    return f"last_at >= ${start} AND occurred_at < ${end}"


def bounds_within(start: datetime, end: datetime) -> Collection[datetime]:
    """Return where pieces have to be cut to be asked whether they touch a period.

    A piece over one end of it has an event on either side. Over both ends, it may
    have none between them.
    """
    return (start, end) if slot_of(start) == slot_of(end) else ()


def slot_of(instant: datetime) -> datetime:
    """Return the start of the quarter of an hour that an instant is in."""
    return instant - (instant - _EPOCH) % SLOT


def served_pieces(
    condition: LiteralString, columns: Collection[LiteralString]
) -> LiteralString:
    """Write the SELECT of a project's server events, each a piece.

    It binds `$project_id`.

    Args:
        columns: The dimensions, `visitor_key`, `occurred_at`, `start_order`, `events`,
            `page_views` or `seq`.
    """
    return _selected("served_pieces", condition, columns)


def _selected(
    view: LiteralString,
    condition: LiteralString,
    columns: Collection[LiteralString],
) -> LiteralString:
    return f"""
        SELECT {", ".join(columns)} FROM {view}
        WHERE project_id = $project_id AND {condition}
    """
