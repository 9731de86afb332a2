"""What can be saved and asked for by name: an entry says all about one of them.

Like questions, entries are values that every surface reads. Unlike them, they work
with the catalog as well, and some change it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, Literal, TypeAlias, TypeVar

import msgspec

from clamp_server.errors import InvalidRequestError
from clamp_server.model.project import Project
from clamp_server.questions.parameter import Parameter, Query
from clamp_server.store.catalog import Catalog
from clamp_server.store.sql import EventStore

Method: TypeAlias = Literal["GET", "POST", "DELETE"]
Body = TypeVar("Body")
Answer = TypeVar("Answer")

_MISFIT = re.compile(r"(.*?)(?: - at `\$\.?(.*)`)?", re.DOTALL)
_NAMED = re.compile(r"(Object .* field) `(.*)`", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Desk:
    """What an entry works with: whose data, and when it is asked."""

    store: EventStore
    catalog: Catalog
    project: Project
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedEntry(Generic[Body, Answer]):
    """One thing that can be done with what is saved.

    Attributes:
        name: The same on every surface, such as `funnels.create`.
        path: Below `/analytics/{project_id}`; `{name}` is one of `parameters`.
        meaning: What it does, in one sentence.
        parameters: Everything that `run` looks at in its query.
        body: Shape of the request's body; None without one.
        fields: What is allowed in the body, by the dotted name of each field.
        run: Does it; its query has the parameters of the path as well.
    """

    name: str
    method: Method
    path: str
    meaning: str
    parameters: tuple[Parameter, ...] = ()
    body: type[Body] | None = None
    fields: Mapping[str, str] = field(default_factory=dict)
    run: Callable[[Desk, Query, Body], Answer]


@dataclass(frozen=True, slots=True)
class Deleted:
    """What was named is gone."""

    ok: bool = True


def decode_body(entry: SavedEntry[Body, Answer], body: bytes) -> Body | None:
    """Read a request's body; None where `entry` takes none.

    Raises:
        InvalidRequestError: Names the field that is wrong, and what is allowed.
    """
    if entry.body is None:
        return None
    try:
        return msgspec.json.decode(body, type=entry.body)
    except msgspec.ValidationError as error:
        raise _misfit(str(error), entry.fields) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidRequestError(
            f"body: must be a JSON object with {', '.join(entry.fields)}"
        ) from error


def checked(name: str, check: Callable[[str], Answer], text: str) -> Answer:
    """Return what `check` makes of a text.

    Raises:
        InvalidRequestError: `check` raised a `ValueError`; names the field.
    """
    try:
        return check(text)
    except ValueError as error:
        raise InvalidRequestError(f"{name}: {error}") from error


def _misfit(message: str, fields: Mapping[str, str]) -> InvalidRequestError:
    found = _MISFIT.fullmatch(message)
    why, path = (found[1], found[2] or "") if found else (message, "")
    if named := _NAMED.fullmatch(why):
        why, path = named[1], ".".join(filter(None, (path, named[2][:50])))
    allowed = fields.get(re.sub(r"\[[^\]]*\]", "", path))
    must = f"must be {allowed}" if allowed else f"allowed are {', '.join(fields)}"
    return InvalidRequestError(f"{path or 'body'}: {why.replace('`', '')}; {must}")
