"""What only the pages ask of single events: the stream, and how bugs look."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Generic, LiteralString, TypeVar

from clamp_server.model.event import Properties
from clamp_server.model.ids import ProjectId
from clamp_server.model.money import Money
from clamp_server.model.scope import Scope
from clamp_server.store.property_sql import ERROR_EVENT
from clamp_server.store.scope_sql import scoped
from clamp_server.store.sql import Dialect, EventStore, Row, Sql

Params = TypeVar("Params")
Answer = TypeVar("Answer")

_SEEN: LiteralString = """
    seq, id, name, sent_by, occurred_at, received_at, anonymous_id, user_id,
    session_id, url, pathname, referrer_host, channel, browser, browser_version,
    os, os_version, device_type, country, strings, numbers, booleans,
    money_amounts, money_currencies, error_message, error_type, error_handled
"""


@dataclass(frozen=True, slots=True)
class PageQuestion(Generic[Params, Answer]):
    """A question without a place in the API: no path, no query to read."""

    name: str
    select: Callable[[Params, Dialect], Sql]
    read: Callable[[Params, Sequence[Row]], Answer]

    def ask(self, store: EventStore, params: Params) -> Answer:
        """Put it to a store.

        Raises:
            StoreUnavailableError: The store cannot answer now.
        """
        return self.read(params, store.rows(self.select(params, store.dialect)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Since:
    """What the stream asks for: the events stored after one of them.

    Attributes:
        after: The `seq` of the last one seen; 0 for the newest of all.
        limit: At most so many, the newest.
    """

    project_id: ProjectId
    after: int = 0
    limit: int


@dataclass(frozen=True, slots=True)
class Bugs:
    """Some bugs of a scope, by fingerprint."""

    scope: Scope
    fingerprints: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenEvent:
    """One stored event as a person looks at it; absent texts are empty.

    Attributes:
        seq: Its place in the order of storing.
    """

    seq: int
    id: str
    name: str
    sent_by: str
    occurred_at: datetime
    received_at: datetime
    anonymous_id: str
    user_id: str
    session_id: str
    url: str
    pathname: str
    referrer_host: str
    channel: str
    browser: str
    browser_version: str
    os: str
    os_version: str
    device_type: str
    country: str
    properties: Properties
    error_message: str
    error_type: str
    error_handled: bool


@dataclass(frozen=True, slots=True)
class LastOccurrence:
    """How a bug looked the last time.

    Attributes:
        handled: How many occurrences the application had caught.
        fingerprint_parts: What makes two errors this bug, one part a line.
    """

    fingerprint: str
    handled: int
    event: SeenEvent
    stack: str
    fingerprint_parts: str


def select_events(since: Since, _: Dialect) -> Sql:
    """Write the SQL of the stream: every event counts, bots too; newest first."""
    return Sql(
        f"""
        SELECT {_SEEN} FROM events
        WHERE project_id = $project_id AND seq > $after
        ORDER BY seq DESC
        LIMIT $limit
        """,
        {"project_id": since.project_id, "after": since.after, "limit": since.limit},
    )


def read_events(_: Since, rows: Sequence[Row]) -> list[SeenEvent]:
    """Shape the rows of `select_events`."""
    return [_seen(row) for row in rows]


def select_last_occurrences(bugs: Bugs, _: Dialect) -> Sql:
    """Write the SQL of each bug's last occurrence, at most one row a bug.

    Stacks are read for these alone: where a bug has struck a million times, all
    of them would be gigabytes.
    """
    source = scoped(bugs.scope)
    return Sql(
        f"""
        WITH bug AS (
            SELECT argMax(seq, (occurred_at, seq)) AS last_seq,
                   count(*) FILTER (WHERE error_handled) AS handled
            FROM ({source.text}) AS event
            WHERE name = $error_event AND error_fingerprint IN $fingerprints
            GROUP BY error_fingerprint
        )
        SELECT {_SEEN}, error_fingerprint, error_fingerprint_parts, error_stack,
               bug.handled AS handled
        FROM events JOIN bug ON seq = bug.last_seq
        WHERE project_id = $project_id
        """,
        {**source.values, **ERROR_EVENT, "fingerprints": list(bugs.fingerprints)},
    )


def read_last_occurrences(_: Bugs, rows: Sequence[Row]) -> Mapping[str, LastOccurrence]:
    """Shape the rows of `select_last_occurrences`, by fingerprint."""
    return {
        row["error_fingerprint"]: LastOccurrence(
            fingerprint=row["error_fingerprint"],
            handled=row["handled"],
            event=_seen(row),
            stack=row["error_stack"],
            fingerprint_parts=row["error_fingerprint_parts"],
        )
        for row in rows
    }


events = PageQuestion("live.events", select_events, read_events)
last_occurrences = PageQuestion(
    "live.last_occurrences", select_last_occurrences, read_last_occurrences
)


def _seen(row: Row) -> SeenEvent:
    plain = {name: row[name] for name in SeenEvent.__slots__ if name != "properties"}
    currencies: Mapping[str, str] = row["money_currencies"]
    amounts: Mapping[str, Decimal] = row["money_amounts"]
    properties = Properties(
        strings=dict(row["strings"]),
        numbers=dict(row["numbers"]),
        booleans=dict(row["booleans"]),
        money={key: Money(amount, currencies[key]) for key, amount in amounts.items()},
    )
    return SeenEvent(**plain, properties=properties)
