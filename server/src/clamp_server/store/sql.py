"""SQL text with its values held apart, and what a store of events can do.

One text runs on both engines. What they do not agree on, and how to write it:

- A comparison is a bool in DuckDB and 0 or 1 in ClickHouse:
  `CAST(... AS BOOLEAN)` where it is an answer.
- A key that a map does not have reads as NULL in the one and as a default in the
  other: ask `Dialect.has_key`. So does `lag` of a first row.
- `date_trunc` of `week` and longer is a date in ClickHouse: `CAST(... AS DATE)`.
- A literal with decimals is exact in DuckDB only: pass it as a value.
- `$` begins a hole, in quotes as well: pass a text with one as a value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, LiteralString, Protocol, TypeAlias

from clamp_server.model.event import EnrichedEvent

# A question that takes longer is stopped, so that a few of them cannot keep
# every thread and all memory.
QUESTION_TIMEOUT_S = 30.0
# How long a repeated id counts as the same event; the wire promises 7 days.
REMEMBER_IDS = timedelta(days=7)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Value: TypeAlias = str | int | float | bool | datetime | Sequence[str] | None
# What a driver hands back has no better type; it stops at a question's `read_*`.
Row: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Sql:
    """A statement with `$name` holes.

    `text` is a `LiteralString`: pyright refuses any text that a caller's
    value could have reached, so an injection is a type error.
    """

    text: LiteralString
    values: Mapping[str, Value] = field(default_factory=dict[str, Value])


class Dialect(Protocol):
    """The few expressions that DuckDB and ClickHouse spell differently."""

    # Members are added with the first question that needs them.

    joins_pieces: bool
    """Whether pieces of visits are kept joined (see `piece_sql`), and server events
    with their sessions (`placing_sql`). If not, each piece is one event, and no session
    is sure to be one piece."""

    def has_key(self, column: LiteralString, key: LiteralString) -> LiteralString:
        """Write whether the map in `column` has the text `key` for a key."""
        ...

    def has_any_key(self, column: LiteralString) -> LiteralString:
        """Write whether the map in `column` has anything in it."""
        ...

    def keys(self, column: LiteralString) -> LiteralString:
        """Write the array of the keys of the map in `column`."""
        ...

    def each(self, values: LiteralString) -> LiteralString:
        """Write a column of a SELECT that makes a row of each value of an array."""
        ...

    def first(
        self, values: LiteralString, name: LiteralString, condition: LiteralString
    ) -> LiteralString:
        """Write the first value of an array that a condition on `name` holds for."""
        ...

    def common_bits(self, one: LiteralString, other: LiteralString) -> LiteralString:
        """Write the whole number that has the bits that two have."""
        ...

    def folded(
        self,
        values: LiteralString,
        value: LiteralString,
        state: LiteralString,
        next_state: LiteralString,
    ) -> LiteralString:
        """Write an aggregate: the state after all values, in ascending order.

        It begins with 0; `next_state` makes it from the one before and one `value`.
        """
        ...

    def plus_seconds(
        self, instant: LiteralString, seconds: LiteralString
    ) -> LiteralString:
        """Write the instant that many seconds later; they may be below 0."""
        ...

    def digits(self, text: LiteralString) -> LiteralString:
        """Write the number that a text of 1 to 9 digits is, NULL for another."""
        ...

    def exact(self, number: LiteralString) -> LiteralString:
        """Write the exact decimal that a DOUBLE prints as, NULL if it is too large."""
        ...


class EventStore(Protocol):
    """One database of events."""

    @property
    def dialect(self) -> Dialect:
        """How this database spells what the other spells otherwise."""
        ...

    def rows(self, sql: Sql) -> list[Row]:
        """Run `sql` and return every row, keyed by column name.

        Safe to call from several threads at once, also while `append` runs.

        Raises:
            StoreUnavailableError: The database cannot answer now.
        """
        ...

    def append(self, events: Sequence[EnrichedEvent]) -> list[bool]:
        """Store `events` in one durable transaction; return when it is on disk.

        The answer has one bool an event, in order: True where it was stored,
        False where the same project and id was stored before (also earlier in
        `events`). Called from one thread at a time.

        Raises:
            StoreUnavailableError: Nothing of `events` was stored; disk full,
                database gone. A later call may succeed without a restart.
        """
        ...

    def close(self) -> None:
        """Write everything out and let the files go."""
        ...


_DIGITS: tuple[LiteralString, ...] = ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9")


def literal(number: int) -> LiteralString:
    """Write a whole number from 0 as literal text, which a caller's cannot become."""
    return "".join(_DIGITS[int(digit)] for digit in str(number))


def seq_at(instant: datetime) -> int:
    """Return the lowest `seq` that an event stored at `instant` can have.

    >>> seq_at(datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC))
    1000000
    """
    return (instant - _EPOCH) // timedelta(microseconds=1)
