"""How ClickHouse spells what DuckDB spells otherwise."""

from __future__ import annotations

from typing import LiteralString


class ClickHouseDialect:
    """ClickHouse's spellings."""

    joins_pieces = False

    def has_key(self, column: LiteralString, key: LiteralString) -> LiteralString:
        """Write whether the map in `column` has the text `key` for a key."""
        return f"mapContains({column}, {key})"

    def has_any_key(self, column: LiteralString) -> LiteralString:
        """Write whether the map in `column` has anything in it."""
        return f"notEmpty({column})"

    def keys(self, column: LiteralString) -> LiteralString:
        """Write the array of the keys of the map in `column`."""
        return f"mapKeys({column})"

    def each(self, values: LiteralString) -> LiteralString:
        """Write a column of a SELECT that makes a row of each value of an array."""
        return f"arrayJoin({values})"

    def first(
        self, values: LiteralString, name: LiteralString, condition: LiteralString
    ) -> LiteralString:
        """Write the first value of an array that a condition on `name` holds for."""
        return f"arrayFirst({name} -> {condition}, {values})"

    def common_bits(self, one: LiteralString, other: LiteralString) -> LiteralString:
        """Write the whole number that has the bits that two have."""
        return f"bitAnd({one}, {other})"

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
        step: LiteralString = f"({state}, {value}) -> toInt64({next_state})"
        return f"arrayFold({step}, arraySort(groupArray({values})), toInt64(0))"

    def plus_seconds(
        self, instant: LiteralString, seconds: LiteralString
    ) -> LiteralString:
        """Write the instant that many seconds later; they may be below 0."""
        return f"({instant} + toIntervalSecond({seconds}))"

    def digits(self, text: LiteralString) -> LiteralString:
        """Write the number that a text of 1 to 9 digits is, NULL for another."""
        # It alone would take a sign.
        is_short = f"length({text}) < 10 AND NOT match({text}, '[^0-9]')"
        return f"if({is_short}, toInt64OrNull({text}), NULL)"

    def exact(self, number: LiteralString) -> LiteralString:
        """Write the exact decimal that a DOUBLE prints as, NULL if it is too large."""
        return f"toDecimal128OrNull(toString({number}), 18)"
