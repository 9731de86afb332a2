"""The calls of `contract/wire/`, and the requests that they must make."""

from __future__ import annotations

import builtins
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.sink import Sink

from clamp_analytics import Clamp, ClampHTTPError, Money

# Above the SDK's own folder: a copy of the SDK alone does not have it.
FOLDER = Path(__file__).parents[2] / "contract" / "wire"
CASES = [
    path
    for path in sorted(FOLDER.glob("*.json"))
    if "sdk" in json.loads(path.read_bytes())
]

pytestmark = pytest.mark.skipif(not CASES, reason=f"this copy has no {FOLDER}")


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_call_makes_the_request_and_takes_the_answer(path: Path, sink: Sink) -> None:
    case = json.loads(path.read_bytes())
    status, body = case["answer"]["status"], case["answer"]["body"]
    sink.answer = (status, json.dumps(body).encode(), {})
    with Clamp("proj_test", "sk_proj_own", sink.endpoint) as clamp:
        outcome = result(clamp, case["sdk"])

    (request,) = sink.requests
    assert outcome == (status, body)
    assert request.path == case["request"]["path"]
    assert request.headers["x-clamp-key"] == "sk_proj_own"
    assert request.headers["content-type"] == "application/json"
    assert request.exact_body == exact(path)["request"]["body"]


def result(clamp: Clamp, sdk: Any) -> tuple[int, Any]:
    call = getattr(clamp, sdk["call"])
    try:
        assert call(**{k: python_value(v) for k, v in sdk["arguments"].items()}) is True
    except ClampHTTPError as error:
        return error.status_code, json.loads(error.body)
    return 200, {"ok": True}


def python_value(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if "$money" in value:
        amount, currency = value["$money"]
        return Money(Decimal(amount), currency)
    if "$exception" in value:
        name, *arguments = value["$exception"]
        return getattr(builtins, name)(*arguments)
    return {key: python_value(inner) for key, inner in value.items()}


def exact(path: Path) -> Any:
    """The case with every number as its digits, as in `Received.exact_body`."""
    text = path.read_text(encoding="utf-8").replace("{project_id}", "proj_test")
    return json.loads(text, parse_float=str, parse_int=str)
