"""The OpenAPI document: current, strict, and kept to by the server."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import negative_data_rejection, positive_data_acceptance
from schemathesis.generation import GenerationMode
from schemathesis.schemas import BaseSchema
from tests.conftest import FilledStore
from tests.make import NOON
from tests.surfaces.everything import one_of_everything
from tests.surfaces.question_api import QuestionApi, opened_question_api

from clamp_server.api import saved_routes
from clamp_server.api.credential import Credentials
from clamp_server.api.openapi import document
from clamp_server.questions.registry import QUESTIONS
from clamp_server.questions.saved_registry import SAVED
from clamp_server.store.catalog import Catalog
from clamp_server.store.on_duckdb import DuckDBStore

CHECKED_IN = Path(__file__).parents[3] / "docs" / "reference" / "openapi.json"
OPERATIONS = {
    "mcp.bootstrap": ("GET", "/mcp/bootstrap"),
    **{
        name: ("GET", f"/analytics/{{project_id}}{question.path}")
        for name, question in QUESTIONS.items()
    },
    **{
        name: (entry.method, f"/analytics/{{project_id}}{entry.path}")
        for name, entry in SAVED.items()
    },
}
EXAMPLE = {
    "event": "signup",
    "property": "plan",
    "anonymous_id": "aid",
    "before_timestamp": NOON.isoformat(),
    "metric": "visitors",
    "dimension": "country",
}
# Not all that is refused can be said in a schema, such as a range of days that ends
# before it begins. And some that is sent in spite of one is only wrong until it is
# written: a list of one text is a text in a query.
TOO_MUCH = [positive_data_acceptance, negative_data_rejection]
# The same cases every time: what surprises is for who changes something, not for
# who happens to run the tests that day.
each_case = settings(
    max_examples=6,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[QuestionApi]:
    """The API over a store that has something to tell."""
    path = tmp_path_factory.mktemp("data") / "catalog.sqlite"
    numbers = itertools.count(1)
    catalog = Catalog(
        f"sqlite:///{path}",
        clock=lambda: NOON,
        token=lambda: f"{next(numbers):043d}",
    )
    catalog.migrate()
    store = DuckDBStore(None)
    with opened_question_api(store, catalog) as opened:
        FilledStore(store).add(*one_of_everything(opened.project_id))
        saved = saved_routes.routes(
            store, catalog, Credentials(catalog.snapshot), clock=lambda: NOON
        )
        opened.app.router.routes.extend(saved)
        yield opened
    store.close()
    catalog.close()


@pytest.fixture(scope="module")
def schema(api: QuestionApi) -> BaseSchema:
    """The document as a client fetches it."""
    return schemathesis.openapi.from_asgi("/openapi.json", api.app)


@pytest.mark.parametrize("mode", GenerationMode)
@pytest.mark.parametrize("name", OPERATIONS)
def test_the_server_keeps_to_the_document(
    api: QuestionApi, schema: BaseSchema, name: str, mode: GenerationMode
) -> None:
    method, path = OPERATIONS[name]
    mine: dict[str, str] = {"project_id": api.project_id}
    if "{name}" in path or "{id}" in path:
        mine["name" if "{name}" in path else "id"] = "x"
    key = {"x-clamp-key": api.new_key.api_key}

    @each_case
    @given(case=schema[path][method].as_strategy(mode, path_parameters=mine))
    def keeps(case: Any) -> None:
        case.call_and_validate(headers=key, excluded_checks=TOO_MUCH)

    keeps()


@pytest.mark.parametrize("name", QUESTIONS)
def test_what_is_not_of_a_parameters_type_is_refused(
    api: QuestionApi, name: str
) -> None:
    path = QUESTIONS[name].path
    given = parameters(path)
    needed = {n: EXAMPLE.get(n, "7d") for n, one in given.items() if "required" in one}
    typed = [n for n, one in given.items() if not is_any_text(one["schema"])]

    answers = {
        n: api.ask(f"{path}?{urlencode({**needed, n: '12-no'})}").json() for n in typed
    }

    assert typed == [
        n for n, told in answers.items() if told["message"].startswith(f"{n}: must be")
    ]


def is_any_text(schema: dict[str, Any]) -> bool:
    return schema["type"] == "string" and not {"enum", "pattern", "format"} & {*schema}


@pytest.mark.skipif(
    not CHECKED_IN.parent.is_dir(), reason="the reference is in the repository only"
)
def test_the_document_that_is_checked_in_is_current() -> None:
    text = json.dumps(document(), indent=2, ensure_ascii=False)

    assert CHECKED_IN.read_text("utf-8") == f"{text}\n", "run scripts/update-openapi"


def test_the_document_is_served_to_everybody(api: QuestionApi) -> None:
    answer = api.get("/openapi.json", key="")

    assert (answer.status_code, answer.headers["content-type"], answer.json()) == (
        200,
        "application/json",
        document(),
    )


def test_every_operation_is_there_under_its_name() -> None:
    assert {
        operation["operationId"]: (method.upper(), path)
        for path, of_path in document()["paths"].items()
        for method, operation in of_path.items()
        if method != "parameters"
    } == OPERATIONS


def test_every_schema_of_an_answer_allows_its_own_fields_only() -> None:
    schemas = document()["components"]["schemas"]

    assert [
        name for name, schema in schemas.items() if schema["additionalProperties"]
    ] == []


def test_every_refusal_is_of_the_one_shape() -> None:
    components = document()["components"]

    assert components["schemas"]["Refusal"]["properties"] == {
        "error": {"type": "string"},
        "message": {"type": "string"},
    }
    assert {
        status: one["content"]["application/json"]["schema"]["$ref"]
        for status, one in components["responses"].items()
    } == dict.fromkeys(
        ("400", "401", "403", "404", "409", "413", "415", "503"),
        "#/components/schemas/Refusal",
    )


def parameters(path: str) -> dict[str, Any]:
    """Return the parameters of a question by name, without their descriptions."""
    found = document()
    return {
        one["name"]: {k: v for k, v in one.items() if k not in ("name", "description")}
        for given in found["paths"][f"/analytics/{{project_id}}{path}"]["get"][
            "parameters"
        ]
        for one in [
            found["components"]["parameters"][given["$ref"].rpartition("/")[2]]
            if "$ref" in given
            else given
        ]
    }


def test_a_parameter_tells_its_type_its_range_and_what_its_absence_means() -> None:
    maybe = {"in": "query", "allowEmptyValue": True}
    needed = {"in": "query", "required": True}

    assert parameters("/errors")["limit"] == {
        **maybe,
        "schema": {"type": "integer", "minimum": 1, "maximum": 200, "default": 50},
    }
    assert parameters("/errors")["handled"] == {**maybe, "schema": {"type": "boolean"}}
    assert parameters("/events")["compare"] == {
        **maybe,
        "schema": {"type": "boolean", "default": False},
    }
    assert parameters("/errors/timeline")["interval"] == {
        **maybe,
        "schema": {"type": "string", "enum": ["hour", "day"]},
    }
    assert parameters("/events")["country"] == {
        **maybe,
        "schema": {"type": "string", "maxLength": 2048},
    }
    assert parameters("/property-values")["event"] == {
        **needed,
        "schema": {"type": "string", "minLength": 1, "maxLength": 2048},
    }
    assert parameters("/errors/context")["before_timestamp"] == {
        **needed,
        "schema": {"type": "string", "format": "date-time"},
    }
    assert parameters("/users/journey")["period"]["schema"]["default"] == "365d"
    assert parameters("/compare")["metric"]["required"]
    assert "default" not in parameters("/compare")["a"]["schema"]
