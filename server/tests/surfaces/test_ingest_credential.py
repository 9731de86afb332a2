"""Which key is good for which endpoint, and that none is told to anybody."""

import logging

import pytest
from tests.surfaces.ingest_server import OK, Answer, IngestServer, refusal

NO_KEY = refusal(
    401, "unauthorized", "x-clamp-key: got nothing; a project's API key is needed"
)
UNKNOWN_KEY = refusal(
    401,
    "unauthorized",
    "x-clamp-key: got an unknown key; `clamp key create` makes one",
)
REVOKED_KEY = refusal(
    401,
    "unauthorized",
    "x-clamp-key: got a revoked key; `clamp key create` makes another",
)


@pytest.mark.parametrize("path", ["/e/s", "/e/s/batch"])
@pytest.mark.parametrize(
    ("key", "answer"),
    [(None, NO_KEY), ("unknown", UNKNOWN_KEY), ("revoked", REVOKED_KEY)],
)
def test_a_server_needs_a_key_that_is_good(
    server: IngestServer, path: str, key: str | None, answer: Answer
) -> None:
    body = server.batch({"name": "a"}) if "batch" in path else server.event()

    assert server.post(path, body, key=key) == answer
    assert server.stored() == []


@pytest.mark.parametrize("path", ["/e/s", "/e/s/batch"])
def test_a_key_is_good_for_its_own_project(server: IngestServer, path: str) -> None:
    body = server.batch({"name": "a"}) if "batch" in path else server.event()

    assert server.post(path, body, key="foreign") == refusal(
        403,
        "wrong_project",
        f'p: got "{server.project.id}"; this key belongs to another project',
    )
    assert server.stored() == []


def test_a_key_works_once_it_is_made_and_until_it_is_revoked(
    server: IngestServer,
) -> None:
    late = {"x-clamp-key": "sk_proj_" + "l" * 43}
    assert server.post("/e/s", server.event(), late, key=None) == UNKNOWN_KEY

    made = server.catalog.create_key(server.project.id)

    mine = {"x-clamp-key": made.api_key}
    assert server.post("/e/s", server.event(), mine, key=None) == OK


@pytest.mark.parametrize("path", ["/e", "/e/batch"])
@pytest.mark.parametrize("key", ["own", "foreign", "revoked", "unknown"])
def test_a_key_means_nothing_on_a_browser_endpoint(
    server: IngestServer, path: str, key: str
) -> None:
    sent = {"x-clamp-key": server.keys[key]}
    in_body = {"key": server.keys[key], "apiKey": server.keys[key]}
    body = server.batch({"name": "a"}) if "batch" in path else server.event()

    assert server.post(path, body | in_body, sent).status == 200
    unknown = server.post(path, body | {"p": "proj_nobody"}, sent)
    assert unknown == refusal(
        400,
        "unknown_project",
        'p: got "proj_nobody"; the id of a project of this server is allowed',
    )
    assert len(server.stored()) == 1


def test_nothing_that_is_logged_or_answered_holds_a_key_or_an_address(
    server: IngestServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    secret = server.keys["unknown"]
    client = "198.51.100.99"
    answers = [
        server.post("/e/s", server.event(), key="unknown", client=client),
        server.post("/e", {"p": secret, "name": "a"}, client=client),
        server.post("/e/s", server.event(p=secret), client=client),
    ]

    assert [answer.status for answer in answers] == [401, 400, 400]
    said = f"{answers} {caplog.text}"
    assert secret not in said
    assert client not in caplog.text
