"""Ask as a client does: a query string in, plain JSON values out."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from tests.make import NOON, PROJECT, TODAY

from clamp_server.model.project import Project
from clamp_server.questions.ask import ask
from clamp_server.questions.registry import AnyQuestion
from clamp_server.store.sql import EventStore

SHOP = Project(id=PROJECT, name="Shop", created_at=TODAY)


def answer(
    store: EventStore,
    question: AnyQuestion,
    query: str = "",
    *,
    now: datetime = NOON,
    project: Project = SHOP,
) -> Any:
    """Return the answer as a client decodes it."""
    given = dict(parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query)))
    params = question.read_params(given, project, now)
    return msgspec.json.decode(msgspec.json.encode(ask(store, question, params)))
