"""The read API as an OpenAPI 3.1 document, made from what answers it.

Parameters are those that read a request, and a schema is made of the very class
that is encoded as the answer, so neither can say what the server does not do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from types import UnionType
from typing import Any, TypeAlias, Union, get_args, get_origin, get_type_hints

import msgspec

from clamp_server.api.bootstrap import Bootstrap
from clamp_server.model.ids import PROJECT_ID
from clamp_server.questions.moment import Moment
from clamp_server.questions.parameter import (
    FILTERS,
    MOST_CHARACTERS,
    Choice,
    Flag,
    Parameter,
    Span,
    Whole,
)
from clamp_server.questions.registry import QUESTIONS, AnyQuestion
from clamp_server.questions.saved import SavedEntry
from clamp_server.questions.saved_registry import SAVED, AnyEntry

# JSON, which has no better type.
Json: TypeAlias = dict[str, Any]

_SECURITY = "key"
_REF = "#/components/schemas/{name}"
_DATE = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_DAYS = "([1-9]|[1-9][0-9]|[12][0-9]{2}|3[0-5][0-9]|36[0-5])d"
_PERIOD = f"^(today|yesterday|{_DAYS}|{_DATE}:{_DATE})$"
_REFUSALS = {
    "400": "A parameter or its value is not allowed.",
    "401": "No key, an unknown one or a revoked one.",
    "403": "The key belongs to another project.",
    "404": "Nothing is saved under this name or id.",
    "409": "The name exists already.",
    "413": "The body is too large.",
    "415": "The body is packed.",
    "503": "The store cannot answer now; `Retry-After` says when to ask again.",
}
_OF_A_QUESTION = ("400", "401", "403", "503")
_Entry: TypeAlias = AnyQuestion | AnyEntry


class Refusal(msgspec.Struct, frozen=True):
    """Why there is no answer: a word for programs and a sentence for people."""

    error: str
    message: str


@cache
def encoded_document() -> bytes:
    """Return the document as it is served."""
    return msgspec.json.encode(document())


def document() -> Json:
    """Return the document, in the order of the registry."""
    entries: list[_Entry] = [*QUESTIONS.values(), *SAVED.values()]
    every = [one for entry in entries for one in _types(entry)]
    schemas, components = msgspec.json.schema_components(
        [*every, Bootstrap, Refusal], ref_template=_REF
    )
    shapes = dict(zip([*every, Bootstrap], schemas, strict=False))
    paths: Json = {}
    for entry in entries:
        path = f"/analytics/{{project_id}}{entry.path}"
        of_path = paths.setdefault(path, {"parameters": [_PROJECT]})
        of_path[_method(entry)] = _operation(entry, shapes)
    paths["/mcp/bootstrap"] = {"get": _bootstrap(shapes[Bootstrap])}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Clamp read API",
            "version": "1",
            "description": "What a Clamp server can be asked about its events.",
        },
        "security": [{_SECURITY: []}],
        "paths": paths,
        "components": {
            "schemas": {name: _strict(found) for name, found in components.items()},
            "parameters": {one.name: _described(one) for one in FILTERS},
            "responses": {status: _refusal(status) for status in _REFUSALS},
            "securitySchemes": {
                _SECURITY: {"type": "apiKey", "in": "header", "name": "x-clamp-key"}
            },
        },
    }


_PROJECT: Json = {
    "name": "project_id",
    "in": "path",
    "required": True,
    "description": "The project that the key belongs to.",
    "schema": {"type": "string", "pattern": f"^{PROJECT_ID.pattern}$"},
}


def _operation(entry: _Entry, shapes: Mapping[Any, Json]) -> Json:
    answers = [shapes[one] for one in _answer_types(entry)]
    schema = answers[0] if len(answers) == 1 else {"anyOf": answers}
    operation: Json = {
        "operationId": entry.name,
        "summary": entry.meaning,
        "tags": [entry.name.partition(".")[0]],
        "parameters": [_parameter(one, entry.path) for one in entry.parameters],
        "responses": _responses(schema, _statuses(entry)),
    }
    if body := _body_type(entry):
        content = _content(shapes[body])
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _method(entry: _Entry) -> str:
    return entry.method.lower() if isinstance(entry, SavedEntry) else "get"


def _statuses(entry: _Entry) -> tuple[str, ...]:
    if not isinstance(entry, SavedEntry):
        return _OF_A_QUESTION
    own = ("409", "413", "415") if entry.method == "POST" else ("404",)
    return (*_OF_A_QUESTION, *own)


def _bootstrap(schema: Json) -> Json:
    return {
        "operationId": "mcp.bootstrap",
        "summary": "Whose key this is.",
        "tags": ["mcp"],
        "responses": _responses(schema, ("401", "503")),
    }


def _responses(schema: Json, refusals: Iterable[str]) -> Json:
    answered = {"description": "The answer.", "content": _content(schema)}
    refused = {s: {"$ref": f"#/components/responses/{s}"} for s in refusals}
    return {"200": answered, **refused}


def _refusal(status: str) -> Json:
    response: Json = {
        "description": _REFUSALS[status],
        "content": _content({"$ref": _REF.format(name=Refusal.__name__)}),
    }
    if status == "503":
        wait = {"schema": {"type": "integer", "minimum": 0}, "description": "Seconds."}
        response["headers"] = {"Retry-After": wait}
    return response


def _content(schema: Json) -> Json:
    return {"application/json": {"schema": schema}}


def _parameter(parameter: Parameter, path: str) -> Json:
    if f"{{{parameter.name}}}" in path:
        place = {"in": "path", "required": True, "schema": {"type": "string"}}
        return {"name": parameter.name, **place, "description": _words(parameter)}
    if parameter in FILTERS:
        return {"$ref": f"#/components/parameters/{parameter.name}"}
    return _described(parameter)


def _described(parameter: Parameter) -> Json:
    described: Json = {
        "name": parameter.name,
        "in": "query",
        "description": _words(parameter),
        "schema": _values(parameter),
    }
    if parameter.is_required:
        return described | {"required": True}
    # As on events, an empty text counts as absent.
    return described | {"allowEmptyValue": True}


def _words(parameter: Parameter) -> str:
    return f"{parameter.allowed[:1].upper()}{parameter.allowed[1:]}."


def _values(parameter: Parameter) -> Json:
    """Return the schema of the values that a parameter takes."""
    if isinstance(parameter, Whole):
        return {
            "type": "integer",
            "minimum": parameter.least,
            "maximum": parameter.most,
            "default": parameter.usual,
        }
    if isinstance(parameter, Flag):
        told = {"default": parameter.default == "true"} if parameter.default else {}
        return {"type": "boolean", **told}
    usual = {"default": parameter.default} if parameter.default else {}
    if isinstance(parameter, Choice):
        words = [word for word in parameter.words if word]
        return {"type": "string", "enum": words, **usual}
    if isinstance(parameter, Span):
        return {"type": "string", "pattern": _PERIOD, **usual}
    if isinstance(parameter, Moment):
        return {"type": "string", "format": "date-time"}
    least = {"minLength": 1} if parameter.is_required else {}
    return {"type": "string", **least, "maxLength": MOST_CHARACTERS, **usual}


def _types(entry: _Entry) -> list[Any]:
    body = _body_type(entry)
    return [*_answer_types(entry), *([body] if body else [])]


def _answer_types(entry: _Entry) -> list[Any]:
    """Return the types that an answer has one of."""
    answers = entry.run if isinstance(entry, SavedEntry) else entry.read
    answer = get_type_hints(answers)["return"]
    if get_origin(answer) in (Union, UnionType):
        return list(get_args(answer))
    return [answer]


def _body_type(entry: _Entry) -> type | None:
    return entry.body if isinstance(entry, SavedEntry) else None


def _strict(schema: Json) -> Json:
    """Close an object's schema, and keep the first paragraph of its docstring."""
    words = str(schema.get("description", "")).partition("\n\n")[0].split()
    closed = {**schema, "description": " ".join(words)}
    closed.pop("title", None)
    if "properties" in schema:
        closed["additionalProperties"] = False
    return closed
