"""An answer as tables: whatever a question answers, made of plain JSON values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class AnswerTable:
    """One table of an answer.

    Attributes:
        title: Where in the answer it is; empty for the answer itself.
    """

    title: str
    headings: Sequence[str]
    rows: Sequence[Mapping[str, str]]


def answer_tables(answer: Any) -> list[AnswerTable]:
    """Return the tables of an answer: its own figures first, then its lists.

    An answer that is an empty list has none.
    """
    if isinstance(answer, list):
        return [_table("", answer)] if answer else []
    flat = dict(_flat(answer))
    lists = {name: value for name, value in flat.items() if _is_list(value)}
    own = [
        {"name": name, "value": value}
        for name, value in flat.items()
        if name not in lists
    ]
    return [
        _table("", own),
        *(_table(name, value) for name, value in lists.items() if value),
    ]


def _table(title: str, values: Sequence[Mapping[str, Any]]) -> AnswerTable:
    rows = [
        {name: _text(value) for name, value in _flat(row) if not _is_list(value)}
        for row in values
    ]
    headings = [*dict.fromkeys(name for row in rows for name in row)]
    whole = [{name: row.get(name, "") for name in headings} for row in rows]
    return AnswerTable(title, headings, whole)


def _flat(value: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Name what is nested by its path: `comparison.visitors.change`."""
    for name, inner in value.items():
        if isinstance(inner, dict):
            yield from _flat(inner, f"{prefix}{name}.")
        else:
            yield prefix + name, inner


def _is_list(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(row, dict) for row in value)


def _text(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(_text, value))
    return f"{value:,}" if isinstance(value, int) else str(value)
