"""How DuckDB spells what ClickHouse spells otherwise."""

from __future__ import annotations

from typing import LiteralString


class DuckDBDialect:
    """DuckDB's spellings."""

    joins_pieces = True

    def has_key(self, column: LiteralString, key: LiteralString) -> LiteralString:
        """Write whether the map in `column` has the text `key` for a key."""
        return f"map_contains({column}, {key})"

    def has_any_key(self, column: LiteralString) -> LiteralString:
        """Write whether the map in `column` has anything in it."""
        return f"cardinality({column}) > 0"

    def keys(self, column: LiteralString) -> LiteralString:
        """Write the array of the keys of the map in `column`."""
        return f"map_keys({column})"

    def each(self, values: LiteralString) -> LiteralString:
        """Write a column of a SELECT that makes a row of each value of an array."""
        return f"unnest({values})"

    def first(
        self, values: LiteralString, name: LiteralString, condition: LiteralString
    ) -> LiteralString:
        """Write the first value of an array that a condition on `name` holds for."""
        return f"list_filter({values}, lambda {name}: {condition})[1]"

    def common_bits(self, one: LiteralString, other: LiteralString) -> LiteralString:
        """Write the whole number that has the bits that two have."""
        return f"({one} & {other})"

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
        step: LiteralString = f"lambda {state}, {value}: CAST({next_state} AS BIGINT)"
        return f"list_reduce(list_sort(list({values})), {step}, 0::BIGINT)"

    def plus_seconds(
        self, instant: LiteralString, seconds: LiteralString
    ) -> LiteralString:
        """Write the instant that many seconds later; they may be below 0."""
        return f"({instant} + to_seconds({seconds}))"

    def digits(self, text: LiteralString) -> LiteralString:
        """Write the number that a text of 1 to 9 digits is, NULL for another."""
        # It alone would take signs, spaces, decimals and exponents.
        is_short = f"length({text}) < 10 AND NOT regexp_matches({text}, '[^0-9]')"
        return f"CASE WHEN {is_short} THEN TRY_CAST({text} AS BIGINT) END"

    def exact(self, number: LiteralString) -> LiteralString:
        """Write the exact decimal that a DOUBLE prints as, NULL if it is too large."""
        # Through the text: 31.67 times 10^18 is not whole in binary.
        return f"TRY_CAST(CAST({number} AS VARCHAR) AS DECIMAL(38, 18))"
