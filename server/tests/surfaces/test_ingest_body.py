"""In which form a body may come: its type, and whether it is packed."""

import gzip
import json

import pytest
from tests.surfaces.ingest_server import OK, IngestServer, batch_answer, refusal


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "application/json; charset=utf-8",
        "Application/JSON ;charset=UTF-8",
    ],
)
def test_a_server_sends_json(server: IngestServer, content_type: str) -> None:
    sent = {"content-type": content_type}

    assert server.post("/e/s", server.event(), sent) == OK


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "", "json"]
)
def test_a_server_that_sends_something_else_is_told(
    server: IngestServer, content_type: str
) -> None:
    sent = {"content-type": content_type}

    assert server.post("/e/s", server.event(), sent) == refusal(
        415,
        "unsupported_media_type",
        f'content-type: got "{content_type}"; application/json is allowed',
    )
    assert server.stored() == []


@pytest.mark.parametrize(
    "content_type",
    ["text/plain;charset=UTF-8", "application/json", "application/octet-stream", ""],
)
def test_a_beacon_says_what_it_likes(server: IngestServer, content_type: str) -> None:
    sent = {"content-type": content_type}

    assert server.post("/e", server.event(), sent) == OK
    assert server.post("/e/batch", server.batch({"name": "a"}), sent) == batch_answer(1)


@pytest.mark.parametrize("path", ["/e/s", "/e/s/batch"])
def test_a_server_may_pack_its_body(server: IngestServer, path: str) -> None:
    body = server.batch({"name": "a"}) if "batch" in path else server.event()
    packed = gzip.compress(json.dumps(body).encode())

    answer = server.post(path, packed, {"content-encoding": "gzip"})

    assert (answer.status, len(server.stored())) == (200, 1)


@pytest.mark.parametrize(
    ("path", "limit"), [("/e/s", 64 * 1024), ("/e/s/batch", 1024 * 1024)]
)
def test_a_packed_body_has_the_same_limit(
    server: IngestServer, path: str, limit: int
) -> None:
    packed = {"content-encoding": "gzip"}
    bomb = gzip.compress(b" " * (50 * 1024 * 1024))

    fits = server.post(path, gzip.compress(b" " * limit), packed)
    over = server.post(path, gzip.compress(b" " * (limit + 1)), packed)

    assert fits.status == 400
    assert over == server.post(path, bomb, packed)
    assert over == refusal(
        413,
        "body_too_large",
        f"body: got more than {limit} unpacked bytes; at most {limit} are allowed",
    )


def test_a_packed_body_that_is_broken_is_told(server: IngestServer) -> None:
    packed = gzip.compress(json.dumps(server.event()).encode())

    answer = server.post("/e/s", packed[:-4], {"content-encoding": "gzip"})

    assert answer == refusal(
        400,
        "malformed_body",
        "body: got gzip that ends too early; one gzip member is allowed",
    )


def test_a_browser_does_not_pack_its_body(server: IngestServer) -> None:
    packed = gzip.compress(json.dumps(server.event()).encode())

    assert server.post("/e", packed, {"content-encoding": "gzip"}) == refusal(
        415,
        "unsupported_media_type",
        'content-encoding: got "gzip"; none is allowed on this endpoint',
    )
