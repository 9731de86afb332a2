"""Every row of the limits table, through the whole server, at both its edges."""

import json
from decimal import Decimal

import pytest
from tests.surfaces.ingest_server import OK, IngestServer, batch_answer, refusal

CURRENCY = "an ISO 4217 code of three upper-case letters is allowed, such as USD"
VALUE = "text, a number, a boolean or money is allowed"
MONEY = 'money is exactly {"amount": number, "currency": "USD"}'
CONTROL = "got a control character; text without control characters is allowed"
TIME = "ISO 8601 is allowed, such as 2026-03-10T12:00:00Z"
RANGE = "2000-01-01 to 24 hours from now is allowed"
FLOAT = (
    "got a number that a 64-bit float cannot hold;"
    " at most 1.7976931348623157e308 is allowed"
)


def text_of(longest: int) -> str:
    return f"text of 1 to {longest} characters is allowed"


def keys(count: int) -> dict[str, object]:
    return {f"k{n}": n for n in range(count)}


@pytest.mark.parametrize("path", ["/e/s", "/e"])
@pytest.mark.parametrize(
    "fields",
    [
        {"name": "n" * 200},
        {"name": "😀" * 200},
        {"anonymousId": "a" * 128, "userId": "u" * 128, "sessionId": "s" * 128},
        {"anonymousId": "", "userId": None, "sessionId": "", "properties": None},
        {"properties": keys(20)},
        {"properties": keys(20) | {"error.message": "m", "error.code": 1}},
        {"properties": keys(20) | {"absent": None}},
        {"properties": {"k" * 128: 1}},
        {"properties": {"v": "😀" * 512}},
        {"name": "$error", "properties": {"error.message": "m" * 1024}},
        {"name": "$error", "properties": {"error.type": "t" * 64}},
        {"name": "$error", "properties": {"error.stack": "s" * 16_384}},
        {"properties": {"largest": 1.7976931348623157e308, "least": -5e-324}},
        {"properties": {"total": {"amount": 10**15, "currency": "HRK"}}},
        {"url": "u" * 3000, "referrer": "r" * 3000},
        {"url": 5, "referrer": ["x"]},
        {"timestamp": "2000-01-01T00:00:00Z"},
        {"timestamp": "2026-04-30T12:01:00Z"},
        {"timestamp": "2026-04-29T14:01:00+02:00"},
        {"timestamp": ""},
    ],
)
def test_what_is_allowed_is_stored(
    server: IngestServer, path: str, fields: dict[str, object]
) -> None:
    assert server.post(path, server.event(**fields)) == OK
    assert len(server.stored()) == 1


@pytest.mark.parametrize("path", ["/e/s", "/e"])
@pytest.mark.parametrize(
    ("fields", "error", "message"),
    [
        ({"name": ""}, "missing_field", "name: got nothing; 1 to 200 characters are"),
        ({"name": None}, "missing_field", "name: got nothing; 1 to 200 characters are"),
        ({"name": 5}, "wrong_type", f"name: got a number; {text_of(200)}"),
        (
            {"name": "n" * 201},
            "over_limit",
            f"name: got 201 characters; {text_of(200)}",
        ),
        ({"name": "a\x00b"}, "invalid_value", f"name: {CONTROL}"),
        ({"name": "a\tb"}, "invalid_value", f"name: {CONTROL}"),
        (
            {"anonymousId": "a" * 129},
            "over_limit",
            f"anonymousId: got 129 characters; {text_of(128)}",
        ),
        (
            {"userId": "u" * 129},
            "over_limit",
            f"userId: got 129 characters; {text_of(128)}",
        ),
        ({"userId": 42}, "wrong_type", f"userId: got a number; {text_of(128)}"),
        ({"userId": "a\x1f"}, "invalid_value", f"userId: {CONTROL}"),
        (
            {"properties": keys(21)},
            "over_limit",
            "properties: got 21 keys; at most 20 are allowed",
        ),
        (
            {"properties": []},
            "wrong_type",
            "properties: got an array; an object is allowed",
        ),
        (
            {"properties": {"": 1}},
            "over_limit",
            'properties, key "": got 0 characters; 1 to 128 are allowed',
        ),
        (
            {"properties": {"k" * 129: 1}},
            "over_limit",
            f'properties, key "{"k" * 40}…": got 129 characters; 1 to 128 are allowed',
        ),
        (
            {"properties": {"v": "x" * 513}},
            "over_limit",
            "properties.v: got text of 513 characters; at most 512 are allowed",
        ),
        (
            {"name": "$error", "properties": {"error.message": "m" * 1025}},
            "over_limit",
            "properties.error.message: got text of 1025 characters; at most 1024 are",
        ),
        (
            {"name": "$error", "properties": {"error.type": "t" * 65}},
            "over_limit",
            "properties.error.type: got text of 65 characters; at most 64 are",
        ),
        (
            {"name": "$error", "properties": {"error.stack": "s" * 16_385}},
            "over_limit",
            "properties.error.stack: got text of 16385 characters; at most 16384 are",
        ),
        (
            {"name": "$error", "properties": {"error.handled": "yes"}},
            "wrong_type",
            "properties.error.handled: got no boolean; a boolean is allowed",
        ),
        (
            {"properties": {"v": [1]}},
            "wrong_type",
            f"properties.v: got an array; {VALUE}",
        ),
        (
            {"properties": {"v": {"a": 1}}},
            "wrong_type",
            f"properties.v: got another object; {MONEY}",
        ),
        (
            {"properties": {"v": {"amount": 1, "currency": "USD", "tax": 1}}},
            "wrong_type",
            f"properties.v: got another object; {MONEY}",
        ),
        (
            {"properties": {"v": {"amount": "1", "currency": "USD"}}},
            "wrong_type",
            "properties.v.amount: got text; a number is allowed",
        ),
        (
            {"properties": {"v": {"amount": True, "currency": "USD"}}},
            "wrong_type",
            "properties.v.amount: got a boolean; a number is allowed",
        ),
        (
            {"properties": {"v": {"amount": 10**15 + 1, "currency": "USD"}}},
            "over_limit",
            "properties.v.amount: got too large an amount; at most 1000000000000000 is",
        ),
        (
            {"properties": {"v": {"amount": 1, "currency": "usd"}}},
            "invalid_value",
            f'properties.v.currency: got "usd"; {CURRENCY}',
        ),
        (
            {"properties": {"v": {"amount": 1, "currency": "ZZZ"}}},
            "invalid_value",
            f'properties.v.currency: got "ZZZ"; {CURRENCY}',
        ),
        ({"properties": {"v": 10**400}}, "over_limit", f"properties.v: {FLOAT}"),
        ({"timestamp": 5}, "wrong_type", f"timestamp: got a number; text in {TIME}"),
        (
            {"timestamp": "today"},
            "invalid_value",
            f'timestamp: got "today"; {TIME}',
        ),
        (
            {"timestamp": "1970-01-01T00:00:00Z"},
            "over_limit",
            f'timestamp: got "1970-01-01T00:00:00Z"; {RANGE}',
        ),
        (
            {"timestamp": "1999-12-31T23:59:59.999Z"},
            "over_limit",
            f'timestamp: got "1999-12-31T23:59:59.999Z"; {RANGE}',
        ),
        (
            {"timestamp": "2026-04-30T12:01:00.001Z"},
            "over_limit",
            f'timestamp: got "2026-04-30T12:01:00.001Z"; {RANGE}',
        ),
        ({"p": ""}, "missing_field", "p: got nothing; a project id is"),
        ({"p": 5}, "wrong_type", "p: got a number; a project id is"),
        ({"p": "shop"}, "invalid_value", "p: got another text; a project id is"),
    ],
)
def test_what_is_not_allowed_is_refused_by_name(
    server: IngestServer,
    path: str,
    fields: dict[str, object],
    error: str,
    message: str,
) -> None:
    answer = server.post(path, server.event(**fields))

    assert answer == refusal(400, error, answer.body["message"])
    assert answer.body["message"].startswith(message)
    assert "; " in answer.body["message"]
    assert server.stored() == []


@pytest.mark.parametrize(
    ("fields", "error", "message"),
    [
        (
            {"sessionId": "s" * 129},
            "over_limit",
            f"sessionId: got 129 characters; {text_of(128)}",
        ),
        (
            {"platform": "tv"},
            "invalid_value",
            'platform: got "tv"; web, ios or android is allowed',
        ),
        (
            {"screenWidth": "wide"},
            "wrong_type",
            "screenWidth: got text; a number is allowed",
        ),
        (
            {"screenHeight": -1},
            "over_limit",
            "screenHeight: got a number out of range; 0 to 1000000 is allowed",
        ),
        ({"language": 5}, "wrong_type", f"language: got a number; {text_of(512)}"),
    ],
)
def test_what_only_browsers_send_is_checked_there(
    server: IngestServer, fields: dict[str, object], error: str, message: str
) -> None:
    assert server.post("/e", server.event(**fields)) == refusal(400, error, message)
    assert server.stored() == []
    assert server.post("/e/s", server.event(**fields)) == OK
    assert len(server.stored()) == 1


@pytest.mark.parametrize("path", ["/e/s", "/e"])
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"nonsense",
        b'{"name": NaN}',
        b'{"name": Infinity}',
        b'{"p": "\xff"}',
        b"[" * 60_000,
    ],
)
def test_what_is_no_json_is_refused(
    server: IngestServer, path: str, body: bytes
) -> None:
    answer = server.post(path, body)

    assert answer == refusal(400, "malformed_body", answer.body["message"])
    assert answer.body["message"].startswith("body: got ")
    assert server.stored() == []


@pytest.mark.parametrize(
    ("path", "limit"),
    [
        ("/e", 65_536),
        ("/e/batch", 65_536),
        ("/e/s", 65_536),
        ("/e/s/batch", 1024 * 1024),
    ],
)
def test_a_body_has_a_limit(server: IngestServer, path: str, limit: int) -> None:
    fields = {"padding": ""}
    one = server.event(**fields)
    body = {**server.batch(one), **fields} if "batch" in path else one
    body["padding"] = "x" * (limit - len(json.dumps(body)))

    fits = server.post(path, body)
    over = server.post(path, {**body, "padding": f"{body['padding']}x"})

    assert (fits.status, len(server.stored())) == (200, 1)
    assert over == refusal(
        413,
        "body_too_large",
        f"body: got more than {limit} bytes; at most {limit} are allowed",
    )
    assert over.headers["connection"] == "close"


@pytest.mark.parametrize(("path", "most"), [("/e/batch", 100), ("/e/s/batch", 1000)])
def test_a_batch_has_a_limit(server: IngestServer, path: str, most: int) -> None:
    event = {"name": "a"}

    fits = server.post(path, server.batch(*[event] * most))
    over = server.post(path, server.batch(*[event] * (most + 1)))

    assert fits == batch_answer(most)
    assert over == refusal(
        400,
        "over_limit",
        f"events: got {most + 1} events; an array of 1 to {most} events is allowed",
    )
    assert len(server.stored()) == most


def test_each_type_keeps_its_own_column(server: IngestServer) -> None:
    body = (
        b'{"p":"%s","name":"purchase","properties":{"five":"5","seats":5,"share":0.15,'
        b'"new":true,"gone":null,"empty":"",'
        b'"total":{"amount":0.10,"currency":"USD"},'
        b'"fee":{"amount":123456789012345.678901234567890123,"currency":"JPY"}}}'
    ) % server.project.id.encode()

    assert server.post("/e/s", body) == OK
    assert server.stored(
        "name, strings, numbers, booleans, money_amounts, money_currencies"
    ) == [
        {
            "name": "purchase",
            "strings": {"five": "5", "empty": ""},
            "numbers": {"seats": 5.0, "share": 0.15},
            "booleans": {"new": True},
            "money_amounts": {
                "total": Decimal("0.10"),
                "fee": Decimal("123456789012345.678901234567890123"),
            },
            "money_currencies": {"total": "USD", "fee": "JPY"},
        }
    ]


def test_text_of_any_kind_comes_back_as_it_was(server: IngestServer) -> None:
    strange = "a\x00b\n\t\x7f\u2028 'quote\" \\ % $1 😀 \U0010ffff"
    body = server.event(properties={"v": strange, strange: "k"}, userId="Ä\u00a0ö")

    assert server.post("/e/s", body) == OK
    assert server.stored("strings, user_id") == [
        {"strings": {"v": strange, strange: "k"}, "user_id": "Ä\u00a0ö"}
    ]


def test_an_address_is_cut_and_never_refused(server: IngestServer) -> None:
    long = "https://shop.example/" + "p" * 3000
    body = server.event(name="$pageview", url=long, referrer="http://[broken")

    assert server.post("/e", body) == OK
    assert server.stored("url, hostname, referrer, referrer_host") == [
        {
            "url": long[:2048],
            "hostname": "shop.example",
            "referrer": "http://[broken",
            "referrer_host": "",
        }
    ]
