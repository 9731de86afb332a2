"""Sessions of their pieces, as SQL.

Most sessions are one piece (see `piece_sql`), and are read as that. Only those that
may have several are grouped: that is what takes the time. A session with none that
`is_further` among its pieces has one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import LiteralString

from clamp_server.model.dimension import Dimension
from clamp_server.store.any_row_sql import any_row
from clamp_server.store.sql import Dialect


@dataclass(frozen=True, slots=True)
class OfSession:
    """One expression about a session.

    Attributes:
        alone: Over the columns of its only piece.
        together: An aggregate over its pieces.
    """

    alone: LiteralString
    together: LiteralString


def any_piece(condition: LiteralString) -> OfSession:
    """Write 1 for a session with a piece that the condition holds for, else 0."""
    return OfSession(f"CASE WHEN {condition} THEN 1 ELSE 0 END", any_row(condition))


def total(value: LiteralString) -> OfSession:
    """Write the sum of a whole number over a session's pieces."""
    # Of one type in both, because they are united; and not of 128 bits, as the sum
    # of DuckDB is, because that is slow.
    return OfSession(f"CAST({value} AS BIGINT)", f"CAST(sum({value}) AS BIGINT)")


def first_value(dimension: Dimension) -> OfSession:
    """Write a session's value: of its first page view, else of its first event."""
    return OfSession(dimension, f"argMin({dimension}, entry_order)")


def first_values(dimensions: Collection[Dimension]) -> dict[LiteralString, OfSession]:
    """Write a column `first_...` a dimension."""
    return {f"first_{name}": first_value(name) for name in dimensions}


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRows:
    """Sessions, a row each.

    Attributes:
        pieces: A SELECT of pieces.
        columns: By name, beside the keys.
        conditions: All of which hold for the session.
        keys: What the pieces of one row have in common.
        is_split: What holds for any piece of a session that has to be grouped.
        is_read: What holds for every piece that is read as it is.
    """

    pieces: LiteralString
    columns: Mapping[LiteralString, OfSession]
    conditions: Sequence[OfSession] = ()
    keys: Sequence[LiteralString] = ("session_key",)
    is_split: LiteralString = "is_further"
    is_read: LiteralString = "NOT is_further"

    @property
    def several(self) -> LiteralString:
        """The SELECT of the `session_key` of all that have to be grouped."""
        return f"SELECT session_key FROM ({self.pieces}) AS piece WHERE {self.is_split}"

    def all(self, dialect: Dialect) -> LiteralString:
        """Write the SELECT of all sessions."""
        if not dialect.joins_pieces:
            return self.together()
        # By a name, and read four times: pieces are planned once then. To keep them for
        # the readers takes longer than to read them again.
        named = replace(self, pieces="SELECT * FROM visit_piece")
        return f"""
            SELECT * FROM (
                WITH visit_piece AS NOT MATERIALIZED ({self.pieces})
                {named.alone()} UNION ALL {named.together(named.several)}
            ) AS visit
        """

    def alone(self, *more: LiteralString) -> LiteralString:
        """Write the SELECT of those that are one piece, with `more` of its columns."""
        columns = _written({name: of.alone for name, of in self.columns.items()})
        held = " AND ".join(of.alone for of in self.conditions) or "true"
        return f"""
            SELECT {", ".join([*self.keys, *columns, *more])}
            FROM ({self.pieces}) AS piece
            WHERE {self.is_read} AND session_key NOT IN ({self.several})
              AND {held}
        """

    def together(self, among: LiteralString = "") -> LiteralString:
        """Write the SELECT of sessions of any number of pieces.

        Args:
            among: A SELECT of the `session_key` of those that are looked at; by
                default of all.
        """
        columns = _written({name: of.together for name, of in self.columns.items()})
        held = " AND ".join(of.together for of in self.conditions) or "true"
        # For IN, DuckDB would keep all pieces in memory, and look them up by the keys:
        # it takes these for as many. For NOT IN it keeps the keys.
        looked_at = f"WHERE NOT (session_key NOT IN ({among}))" if among else ""
        return f"""
            SELECT {", ".join([*self.keys, *columns])}
            FROM ({self.pieces}) AS piece
            {looked_at}
            GROUP BY {", ".join(self.keys)}
            HAVING {held}
        """


def _written(columns: Mapping[LiteralString, LiteralString]) -> list[LiteralString]:
    return [f"{expression} AS {name}" for name, expression in columns.items()]
