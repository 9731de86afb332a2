"""Put a question to a store."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from clamp_server.model.project import Project
from clamp_server.questions.parameter import Parameter, Query
from clamp_server.store.sql import Dialect, EventStore, Row, Sql

Params = TypeVar("Params")
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Question(Generic[Params, Answer]):
    """What every surface can ask.

    Attributes:
        name: The same on every surface, such as `events.list`.
        path: Below `/analytics/{project_id}`.
        meaning: What it answers, in one sentence.
        parameters: Everything that `read_params` looks at.
        read_params: A query to checked parameters; raises `InvalidRequestError`
            that names the parameter and what is allowed.
        select: Writes the one statement.
        read: Shapes its rows into the answer, which `msgspec` encodes as it is.
    """

    name: str
    path: str
    meaning: str
    parameters: tuple[Parameter, ...]
    read_params: Callable[[Query, Project, datetime], Params]
    select: Callable[[Params, Dialect], Sql]
    read: Callable[[Params, Sequence[Row]], Answer]


def ask(
    store: EventStore, question: Question[Params, Answer], params: Params
) -> Answer:
    """Run `question` on `store` and shape what comes back.

    Raises:
        StoreUnavailableError: The store cannot answer now.
    """
    rows = store.rows(question.select(params, store.dialect))
    return question.read(params, rows)
