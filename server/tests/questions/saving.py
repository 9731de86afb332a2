"""Save and ask as a client does: JSON in, plain JSON values out."""

from __future__ import annotations

from typing import Any

import msgspec
from tests.make import NOON

from clamp_server.model.project import Project
from clamp_server.questions.saved import Desk, decode_body
from clamp_server.questions.saved_registry import SAVED
from clamp_server.store.catalog import Catalog
from clamp_server.store.sql import EventStore


def done(
    store: EventStore,
    catalog: Catalog,
    project: Project,
    name: str,
    body: Any = None,
    /,
    **query: str,
) -> Any:
    """Return the answer of one entry as a client decodes it."""
    entry = SAVED[name]
    decoded = decode_body(entry, msgspec.json.encode(body))
    answer = entry.run(Desk(store, catalog, project, NOON), query, decoded)
    return msgspec.json.decode(msgspec.json.encode(answer))
