"""Who may send, in which form, and what comes back, through the whole server."""

import gzip
import json
import logging
from ipaddress import ip_network
from pathlib import Path

import pytest
from tests.surfaces.ingest_server import (
    OK,
    Answer,
    IngestServer,
    ingest_server,
    refusal,
)

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
ORIGIN = {"origin": "https://shop.example"}
CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36"
    " (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36"
)


def batch_answer(accepted: int, duplicates: int = 0, *rejected: object) -> Answer:
    return Answer(
        200,
        {
            "ok": True,
            "accepted": accepted,
            "duplicates": duplicates,
            "rejected": list(rejected),
        },
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


def test_older_browser_scripts_send_names_without_a_dollar(
    server: IngestServer,
) -> None:
    assert server.post("/e", server.event(name="pageview")) == OK
    assert server.post("/e/s", server.event(name="pageview")) == OK
    assert server.stored("name, sent_by") == [
        {"name": "$pageview", "sent_by": "browser"},
        {"name": "pageview", "sent_by": "server"},
    ]


def test_a_preflight_is_answered_for_every_origin(server: IngestServer) -> None:
    asked = {
        **ORIGIN,
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type",
    }

    for path in ("/e", "/e/batch"):
        answer = server.request("OPTIONS", path, headers=asked)
        told = {
            name: value
            for name, value in answer.headers.items()
            if name.startswith("access-control-")
        }
        assert (answer.status, told) == (
            204,
            {
                "access-control-allow-origin": "https://shop.example",
                "access-control-allow-credentials": "true",
                "access-control-expose-headers": "retry-after",
                "access-control-allow-methods": "POST",
                "access-control-allow-headers": "content-type",
                "access-control-max-age": "86400",
            },
        )
    assert server.request("OPTIONS", "/e/s", headers=asked).status == 405


def test_a_page_may_read_every_answer(server: IngestServer) -> None:
    answers = [
        server.post("/e", server.event(), ORIGIN),
        server.post("/e/batch", server.batch({"name": "a"}), ORIGIN),
        server.post("/e", b"{", ORIGIN),
        server.post("/e", b"x" * 70_000, ORIGIN),
        server.post("/e", {"p": "proj_nobody"}, ORIGIN),
    ]

    assert [answer.status for answer in answers] == [200, 200, 400, 413, 400]
    assert {
        (
            answer.headers["access-control-allow-origin"],
            answer.headers["access-control-allow-credentials"],
            answer.headers["vary"],
        )
        for answer in answers
    } == {("https://shop.example", "true", "origin")}


def test_a_project_may_list_its_origins(server: IngestServer) -> None:
    listed = server.catalog.create_project(
        "Listed", allowed_origins=("https://shop.example",)
    )
    body = {"p": listed.id, "name": "a"}
    other = {"origin": "https://evil.example"}

    assert server.post("/e", body, ORIGIN) == OK
    refused = server.post("/e", body, other)
    assert refused == refusal(
        403,
        "origin_not_allowed",
        'origin: got "https://evil.example"; this project takes events from the origins'
        " on its list only",
    )
    assert refused.headers["access-control-allow-origin"] == "https://evil.example"
    assert server.post("/e", body).status == 403
    assert len(server.stored()) == 1


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


def test_what_a_browser_says_of_itself_is_kept(server: IngestServer) -> None:
    body = server.event(
        name="$pageview",
        url="https://shop.example/a?utm_source=news",
        referrer="https://www.google.com/",
        sessionId="s1",
        screenWidth=1920,
        language="en-GB",
    )
    sent = {"user-agent": CHROME + "x" * 5000, "x-forwarded-for": "8.8.8.8"}

    assert server.post("/e", body, sent, client="80.80.80.80") == OK
    assert server.stored(
        "pathname, utm_source, channel, browser, os, country, screen_width, session_id"
    ) == [
        {
            "pathname": "/a",
            "utm_source": "news",
            "channel": "organic_search",
            "browser": "Chrome",
            "os": "Windows",
            # Of the connection: nobody is trusted to name another address.
            "country": "NL",
            "screen_width": 1920,
            "session_id": "s1",
        }
    ]


def test_a_trusted_proxy_names_the_client(tmp_path: Path) -> None:
    proxies = (ip_network("10.0.0.0/8"),)
    with ingest_server(tmp_path, trusted_proxies=proxies) as server:
        sent = {"x-forwarded-for": "8.8.8.8, 80.80.80.80, 10.0.0.2"}
        server.post("/e", server.event(), sent, client="10.0.0.1")
        server.post("/e", server.event(), sent, client="203.0.113.7")

        assert [row["country"] for row in server.stored("country")] == ["NL", ""]


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
