"""The requests that carry events that waited.

A batch lists them as they are. The same bytes, with the project in the place of
the id, are the body of a single request, which has the id in a header.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from clamp_analytics._exchange import Answer
from clamp_analytics._wire import project_member

# The server's limits, and room in the second for the project and the brackets.
MAX_BATCH_EVENTS = 1_000
MAX_BATCH_BYTES = 1024 * 1024 - 1024
# From here on gzip saves more time on the wire than it takes: a batch of four.
COMPRESS_FROM_BYTES = 1024

_ID_BEGINS = len('{"id":"')


@dataclass(frozen=True)
class Rejected:
    """An event of a batch that the server would not take.

    Attributes:
        index: Its place in the batch.
        message: What is wrong with it, in the server's words.
    """

    index: int
    message: str


def batch_body(project_id: str, events: Sequence[bytes]) -> bytes:
    """Write the body of `POST /e/s/batch`."""
    return b'{%b,"events":[%b]}' % (project_member(project_id), b",".join(events))


def single_body(project_id: str, event: bytes) -> tuple[bytes, str]:
    """Write the body of `POST /e/s`, and return the event's id beside it."""
    id_ends = event.index(b'"', _ID_BEGINS)
    event_id = event[_ID_BEGINS:id_ends].decode()
    return b"{%b%b" % (project_member(project_id), event[id_ends + 1 :]), event_id


def rejected_events(answer: Answer, events: int) -> list[Rejected]:
    """Read which events of a batch the server would not take.

    Args:
        events: How many the batch had. What points beyond is passed over, and so
            is an answer that is no object: the server took the batch all the same.
    """
    try:
        said = json.loads(answer.text)
    # Brackets by the thousand, as no server of ours writes, go too deep.
    except (ValueError, RecursionError):
        return []
    rows = said.get("rejected") if isinstance(said, dict) else None
    # By index: an event is lost once, however often it is listed.
    messages = {
        row["index"]: str(row.get("message", ""))
        for row in (rows if isinstance(rows, list) else [])
        if _points_into(row, events)
    }
    return [Rejected(index, message) for index, message in messages.items()]


def _points_into(row: Any, events: int) -> bool:
    index = row.get("index") if isinstance(row, dict) else None
    return type(index) is int and 0 <= index < events
