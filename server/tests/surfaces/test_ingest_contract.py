"""The requests of `contract/wire/`, and the answers that they must get."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.surfaces.ingest_server import Answer, IngestServer

# In the repository only: a copy of the server alone does not have it.
FOLDER = Path(__file__).parents[3] / "contract" / "wire"
CASES = sorted(FOLDER.glob("*.json"))

pytestmark = pytest.mark.skipif(not CASES, reason=f"this copy has no {FOLDER}")


class Request(msgspec.Struct):
    """`body` stays as it is written, so that every number keeps its digits."""

    method: str
    path: str
    key: str = ""
    headers: dict[str, str] = {}
    body: msgspec.Raw = msgspec.Raw()
    body_text: str = ""


class Wanted(msgspec.Struct):
    status: int
    body: Any = ""
    headers: dict[str, str] = {}


class Case(msgspec.Struct):
    title: str
    request: Request
    answer: Wanted


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_request_gets_its_answer(path: Path, server: IngestServer) -> None:
    text = path.read_text(encoding="utf-8").replace("{project_id}", server.project.id)
    case = msgspec.json.decode(text, type=Case)
    request, wanted = case.request, case.answer
    headers = {"content-type": "application/json"} | request.headers
    if request.key:
        headers["x-clamp-key"] = server.keys[request.key]

    answer = server.request(
        request.method,
        request.path,
        bytes(request.body) or request.body_text.encode(),
        headers,
    )

    assert answer == Answer(wanted.status, wanted.body)
    told = {name: answer.headers.get(name) for name in wanted.headers}
    assert told == wanted.headers
    assert len(server.stored()) == accepted(wanted)


def accepted(wanted: Wanted) -> int:
    """How many events that answer says are stored."""
    return int(wanted.body.get("accepted", 1)) if wanted.status == 200 else 0
