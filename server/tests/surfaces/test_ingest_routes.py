"""What comes back of one event and of a batch, and when it is refused or fails."""

import logging
from pathlib import Path

import pytest
from tests.surfaces.ingest_server import (
    OK,
    ORIGIN,
    Answer,
    IngestServer,
    batch_answer,
    ingest_server,
    refusal,
)


def test_what_is_wrong_first_is_told_first(server: IngestServer) -> None:
    bad = b"{"
    huge = b"x" * (3 * 1024 * 1024)
    text = {"content-type": "text/plain"}

    assert server.post("/e/s", huge, text, key=None).status == 413
    assert server.post("/e/s", bad, text, key=None).status == 401
    assert server.post("/e/s", bad, text, key="foreign").status == 415
    assert server.post("/e/s", bad, key="foreign").status == 400
    assert server.post("/e/s", server.event(name=""), key="foreign").status == 403
    assert server.post("/e/s", server.event(name="")).status == 400


def test_the_same_key_of_an_event_is_stored_once(server: IngestServer) -> None:
    once = {"idempotency-key": "order-1 paid"}

    first = server.post("/e/s", server.event(), once)
    again = server.post("/e/s", server.event(name="other"), once)
    another = server.post("/e/s", server.event(), {"idempotency-key": "order-2"})

    assert [first, again, another] == [OK, OK, OK]
    assert server.stored("name, id") == [
        {"name": "signup", "id": "order-1 paid"},
        {"name": "signup", "id": "order-2"},
    ]


@pytest.mark.parametrize("key", ["k" * 65, ""])
def test_a_key_of_an_event_has_a_length(server: IngestServer, key: str) -> None:
    got = f"{len(key)} characters" if key else "nothing"

    answer = server.post("/e/s", server.event(), {"idempotency-key": key})

    assert answer == refusal(
        400,
        "over_limit" if key else "missing_field",
        f"idempotency-key: got {got}; text of 1 to 64 characters is allowed",
    )
    assert server.stored() == []


def test_the_id_field_of_a_single_event_is_an_unknown_field(
    server: IngestServer,
) -> None:
    answers = [server.post("/e/s", server.event(id="x" * 99)) for _ in range(2)]

    assert answers == [OK, OK]
    assert server.stored("id") == [{"id": ""}, {"id": ""}]


@pytest.mark.parametrize("path", ["/e/batch", "/e/s/batch"])
def test_a_repeated_batch_is_stored_once(server: IngestServer, path: str) -> None:
    ids = [f"{path}-{n}" for n in range(3)]
    body = server.batch(*({"name": "a", "id": one} for one in ids), {"name": "a"})

    assert server.post(path, body) == batch_answer(4)
    assert server.post(path, body) == batch_answer(1, 3)
    assert len(server.stored()) == 5


def test_projects_do_not_share_ids(server: IngestServer) -> None:
    event = {"name": "a", "id": "shared"}
    blog = server.catalog.snapshot().project_and_key(server.keys["foreign"])
    assert blog is not None

    mine = server.post("/e/s/batch", server.batch(event))
    theirs = server.post(
        "/e/s/batch", {"p": blog[0].id, "events": [event]}, key="foreign"
    )

    assert [mine, theirs] == [batch_answer(1)] * 2


@pytest.mark.parametrize("path", ["/e/batch", "/e/s/batch"])
def test_the_good_events_of_a_batch_are_stored(server: IngestServer, path: str) -> None:
    body = server.batch(
        {"name": "a"},
        5,
        {"name": "b", "id": "x" * 65},
        {"name": "c", "timestamp": "1970-01-01"},
        {"name": "d"},
    )

    assert server.post(path, body) == batch_answer(
        2,
        0,
        {
            "index": 1,
            "error": "wrong_type",
            "message": "event: got a number; an object is allowed",
        },
        {
            "index": 2,
            "error": "over_limit",
            "message": "id: got 65 characters; text of 1 to 64 characters is allowed",
        },
        {
            "index": 3,
            "error": "over_limit",
            "message": 'timestamp: got "1970-01-01";'
            " 2000-01-01 to 24 hours from now is allowed",
        },
    )
    assert server.stored() == [{"name": "a"}, {"name": "d"}]


def test_a_batch_of_duplicates_and_bad_events_was_usable(server: IngestServer) -> None:
    body = server.batch({"name": "a", "id": "dup"}, {"name": ""})
    server.post("/e/s/batch", server.batch({"name": "a", "id": "dup"}))

    answer = server.post("/e/s/batch", body)

    assert (answer.status, answer.body["duplicates"]) == (200, 1)


def test_a_large_batch_keeps_its_order(server: IngestServer) -> None:
    names = [f"e{n}" for n in range(1000)]

    answer = server.post("/e/s/batch", server.batch(*({"name": n} for n in names)))

    assert answer == batch_answer(1000)
    assert [row["name"] for row in server.stored()] == names


def test_a_project_may_have_a_rate_limit(server: IngestServer) -> None:
    limited = server.catalog.create_project("Limited", rate_limit_per_s=1)
    api_key = server.catalog.create_key(limited.id).api_key
    sent = {"x-clamp-key": api_key}
    events = [{"name": "a"}] * 1000
    body = {"p": limited.id, "events": events}

    first = server.post("/e/s/batch", body, sent, key=None)
    again = server.post("/e/s/batch", body, sent, key=None)
    from_browser = server.post("/e", {"p": limited.id, "name": "a"}, ORIGIN)

    assert first == batch_answer(1000)
    assert again == refusal(
        429,
        "rate_limited",
        "this project takes 1 events a second; send the same again after the time in"
        " Retry-After",
    )
    # A thousand seconds, less what the test takes.
    assert 900 < int(again.headers["retry-after"]) <= 1000
    assert from_browser.status == 429
    assert from_browser.headers["access-control-allow-origin"] == ORIGIN["origin"]
    assert len(server.stored()) == 1000


def test_what_could_not_be_stored_does_not_count_against_the_limit(
    tmp_path: Path,
) -> None:
    with ingest_server(tmp_path) as server:
        limited = server.catalog.create_project("Limited", rate_limit_per_s=1)
        sent = {"x-clamp-key": server.catalog.create_key(limited.id).api_key}
        body = {"p": limited.id, "events": [{"name": "a"}] * 1000}
        server.app.state.store.close()
        answers = [server.post("/e/s/batch", body, sent, key=None) for _ in range(2)]

    assert [answer.status for answer in answers] == [503, 503]


def test_what_fails_gives_nothing_away(
    server: IngestServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.clock.failure = RuntimeError("SELECT secret FROM /var/lib/clamp")
    answers = [
        server.post("/e/s", server.event()),
        server.post("/e", server.event(), ORIGIN),
        server.request(
            "GET",
            f"/analytics/{server.project.id}/events",
            headers={"x-clamp-key": server.keys["own"]},
        ),
    ]
    server.clock.failure = None

    wanted = refusal(500, "internal_error", "the server failed; its log says why")
    assert answers == [wanted] * 3
    assert answers[1].headers["access-control-allow-origin"] == ORIGIN["origin"]
    told = [r for r in caplog.records if r.name.startswith("clamp_server")]
    # Told once a minute, and not once a request.
    assert [(r.getMessage(), r.levelno, bool(r.exc_info)) for r in told] == [
        ("a request failed: RuntimeError", logging.ERROR, True)
    ]
    assert server.post("/e/s", server.event()) == OK


@pytest.mark.parametrize("path", ["/e", "/e/s", "/e/batch", "/e/s/batch"])
def test_a_client_that_goes_away_gets_no_answer_and_counts_for_nothing(
    server: IngestServer, path: str
) -> None:
    before = server.metrics()

    assert server.abandon(path, b'{"p":') == []
    assert server.metrics() == before


@pytest.mark.parametrize(
    ("method", "path", "answer"),
    [
        ("GET", "/nothing", refusal(404, "not_found", "GET /nothing: not found")),
        (
            "GET",
            "/e",
            refusal(405, "method_not_allowed", "GET /e: method not allowed"),
        ),
        (
            "PUT",
            "/e/s/batch",
            refusal(405, "method_not_allowed", "PUT /e/s/batch: method not allowed"),
        ),
    ],
)
def test_what_nobody_serves_has_the_one_error_shape(
    server: IngestServer, method: str, path: str, answer: Answer
) -> None:
    assert server.request(method, path) == answer
