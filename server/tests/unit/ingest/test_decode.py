import json
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.make import NOON, PROJECT

from clamp_server.errors import InvalidRequestError
from clamp_server.ingest.decode import (
    decode_batch,
    decode_event,
    decode_one,
)
from clamp_server.model.event import (
    Properties,
    Sender,
    Sending,
    SentError,
    SentEvent,
)

OF_SERVER = Sending(project_id=PROJECT, sent_by="server", received_at=NOON)
OF_BROWSER = Sending(project_id=PROJECT, sent_by="browser", received_at=NOON)
P = "a project id is allowed, such as proj_abc123"
EVENTS = "an array of 1 to 100 events is allowed"


def event(sent: object, sending: Sending = OF_SERVER, **how: Any) -> SentEvent:
    body = sent if isinstance(sent, bytes) else json.dumps(sent).encode()
    return decode_event(body, sending, **how)


def refusal(decode: Any, *arguments: object) -> tuple[str, str]:
    with pytest.raises(InvalidRequestError) as refused:
        decode(*arguments)
    return refused.value.code, refused.value.message


def test_a_server_event_with_everything() -> None:
    sent = {
        "p": PROJECT,
        "name": "signup",
        "id": "e-1",
        "timestamp": "2026-03-10T11:00:00Z",
        "anonymousId": "aid_1",
        "userId": "u 1",
        "properties": {"plan": "pro"},
        # Unknown here, so ignored, whatever they are.
        "url": "https://shop.example/",
        "sessionId": ["x"],
        "extra": {"deep": [1, {"deeper": None}]},
    }

    assert event(sent) == SentEvent(
        name="signup",
        id="e-1",
        occurred_at=NOON - timedelta(hours=1),
        anonymous_id="aid_1",
        user_id="u 1",
        properties=Properties(strings={"plan": "pro"}),
    )


def test_a_browser_event_with_everything() -> None:
    sent = {
        "name": "$pageview",
        "url": "https://shop.example/a",
        "referrer": "https://search.example/",
        "sessionId": "s-1",
        "anonymousId": "aid_1",
        "userId": "u-1",
        "timestamp": "2026-03-10T12:00:00Z",
        "screenWidth": 1920,
        "screenHeight": 1080.5,
        "language": "en-GB",
        "platform": "web",
        "properties": {"a": True},
    }

    assert event(sent, OF_BROWSER) == SentEvent(
        name="$pageview",
        occurred_at=NOON,
        anonymous_id="aid_1",
        user_id="u-1",
        session_id="s-1",
        url="https://shop.example/a",
        referrer="https://search.example/",
        screen_width=1920,
        screen_height=1080,
        language="en-GB",
        platform="web",
        properties=Properties(booleans={"a": True}),
    )


@pytest.mark.parametrize("nothing", ["", None])
def test_what_is_empty_is_absent(nothing: str | None) -> None:
    fields = (
        "id sessionId anonymousId userId timestamp url referrer screenWidth"
        " screenHeight language platform properties"
    )
    sent = dict.fromkeys(fields.split(), nothing) | {"name": "a"}

    assert event(sent, OF_BROWSER) == SentEvent(name="a")
    assert event(sent, OF_SERVER) == SentEvent(name="a")


def test_an_error_keeps_what_it_brings_apart() -> None:
    sent = {"name": "$error", "properties": {"error.message": "no", "order": 7}}

    assert event(sent) == SentEvent(
        name="$error",
        properties=Properties(numbers={"order": 7.0}),
        error=SentError(message="no"),
    )


def test_an_id_from_outside_takes_the_place_of_the_events_own() -> None:
    sent = {"name": "a", "id": 5}

    assert event(sent, event_id="k") == SentEvent(name="a", id="k")
    assert event(sent, event_id="") == SentEvent(name="a")


def text_of(longest: int) -> str:
    return f"text of 1 to {longest} characters is allowed"


CONTROL = "got a control character; text without control characters is allowed"


@pytest.mark.parametrize(
    ("sent", "code", "message"),
    [
        (5, "wrong_type", "event: got a number; an object is allowed"),
        ([], "wrong_type", "event: got an array; an object is allowed"),
        ({}, "missing_field", "name: got nothing; 1 to 200 characters are allowed"),
        (
            {"name": ""},
            "missing_field",
            "name: got nothing; 1 to 200 characters are allowed",
        ),
        ({"name": 5}, "wrong_type", f"name: got a number; {text_of(200)}"),
        (
            {"name": "n" * 201},
            "over_limit",
            f"name: got 201 characters; {text_of(200)}",
        ),
        *(
            ({"name": f"a{control}"}, "invalid_value", f"name: {CONTROL}")
            for control in "\x00\x1f\n\t\x7f\x9f"
        ),
        *(
            case
            for field, longest in (("id", 64), ("anonymousId", 128), ("userId", 128))
            for case in (
                (
                    {"name": "a", field: "x" * (longest + 1)},
                    "over_limit",
                    f"{field}: got {longest + 1} characters; {text_of(longest)}",
                ),
                (
                    {"name": "a", field: 42},
                    "wrong_type",
                    f"{field}: got a number; {text_of(longest)}",
                ),
                (
                    {"name": "a", field: "x\x00"},
                    "invalid_value",
                    f"{field}: {CONTROL}",
                ),
            )
        ),
        (
            {"name": "a", "timestamp": 5},
            "wrong_type",
            "timestamp: got a number; text in ISO 8601 is allowed, such as"
            " 2026-03-10T12:00:00Z",
        ),
        (
            {"name": "a", "properties": [1]},
            "wrong_type",
            "properties: got an array; an object is allowed",
        ),
    ],
)
@pytest.mark.parametrize("sending", [OF_SERVER, OF_BROWSER], ids=["server", "browser"])
def test_a_bad_event_is_named(
    sent: object, code: str, message: str, sending: Sending
) -> None:
    assert refusal(event, sent, sending) == (code, message)


PX = "0 to 1000000 is allowed"


@pytest.mark.parametrize(
    ("field", "value", "code", "message"),
    [
        ("sessionId", "s" * 129, "over_limit", f"got 129 characters; {text_of(128)}"),
        ("sessionId", "s\n", "invalid_value", CONTROL),
        ("language", 5, "wrong_type", f"got a number; {text_of(512)}"),
        ("language", "x" * 513, "over_limit", f"got 513 characters; {text_of(512)}"),
        ("platform", 5, "wrong_type", "got a number; web, ios or android is allowed"),
        (
            "platform",
            "Web",
            "invalid_value",
            'got "Web"; web, ios or android is allowed',
        ),
        ("screenWidth", "1920", "wrong_type", "got text; a number is allowed"),
        ("screenWidth", True, "wrong_type", "got a boolean; a number is allowed"),
        ("screenHeight", -1, "over_limit", f"got a number out of range; {PX}"),
        ("screenHeight", 10**6 + 1, "over_limit", f"got a number out of range; {PX}"),
    ],
)
def test_a_bad_field_of_a_browser_event_is_named(
    field: str, value: object, code: str, message: str
) -> None:
    sent = {"name": "a", field: value}

    assert refusal(event, sent, OF_BROWSER) == (code, f"{field}: {message}")
    assert event(sent, OF_SERVER) == SentEvent(name="a")


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("not a url at all", "not a url at all"),
        ("u" * 2048, "u" * 2048),
        ("u" * 2049, "u" * 2048),
        (5, ""),
        (["https://shop.example"], ""),
        ({}, ""),
    ],
)
def test_an_address_is_never_a_reason_to_refuse(sent: object, kept: str) -> None:
    decoded = event({"name": "a", "url": sent, "referrer": sent}, OF_BROWSER)

    assert decoded == SentEvent(name="a", url=kept, referrer=kept)


@pytest.mark.parametrize(
    "name", ["n" * 200, "Käse kaufen 🧀", " ", "a\u00a0b\u200d", "pageview", "$x"]
)
def test_a_name_is_kept_as_it_was_sent(name: str) -> None:
    assert event({"name": name}) == SentEvent(name=name)


def test_the_last_of_two_equal_keys_counts() -> None:
    assert event(b'{"name":"a","name":"b","properties":{"x":1,"x":"2"}}') == SentEvent(
        name="b", properties=Properties(strings={"x": "2"})
    )


@pytest.mark.parametrize(
    ("escaped", "kept"),
    [
        (rb"\ud83d\ude00", "😀"),
        (rb"\ud83d", "\ufffd"),
        (rb"\udcff.txt", "\ufffd.txt"),
        (rb"\ude00\ud83d", "\ufffd\ufffd"),
        (rb"\ud83d\ud83d\ude00", "\ufffd😀"),
        (rb"\ud83d\\ud83d", "\ufffd\\ud83d"),
        (rb"\ud83d\n", "\ufffd\n"),
        (rb"\u0000", "\x00"),
    ],
)
def test_half_a_surrogate_pair_is_replaced(escaped: bytes, kept: str) -> None:
    one = b'{"p":"proj_shop","name":"a","properties":{"t":"%s"}}' % escaped
    batch = b'{"p":"proj_shop","events":[%s]}' % one
    wanted = SentEvent(name="a", properties=Properties(strings={"t": kept}))

    assert event(one) == wanted
    assert decode_event(decode_one(one).events[0], OF_SERVER) == wanted
    assert decode_event(decode_batch(batch, 100).events[0], OF_SERVER) == wanted


def test_a_name_of_half_a_pair_is_replaced_as_well() -> None:
    assert event(rb'{"name":"\ud83d"}') == SentEvent(name="\ufffd")


MALFORMED = "UTF-8 JSON is allowed"
HUGE = (
    "got a number that a 64-bit float cannot hold;"
    " at most 1.7976931348623157e308 is allowed"
)


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        (b"", "malformed_body", "malformed JSON (Input data was truncated)"),
        (b'{"p":', "malformed_body", "malformed JSON (Input data was truncated)"),
        (b"{'p':1}", "malformed_body", None),
        (b'{"p":"proj_shop"} x', "malformed_body", None),
        (b'\xef\xbb\xbf{"p":"proj_shop"}', "malformed_body", None),
        (b'{"a":NaN}', "malformed_body", None),
        (b'{"a":Infinity}', "malformed_body", None),
        (b'{"p":"\xff"}', "malformed_body", None),
        ('{"p":"proj_shop"}'.encode("utf-16"), "malformed_body", None),
        (rb'{"p":"\ud83"}', "malformed_body", None),
        (b"[", "malformed_body", "malformed JSON (Input data was truncated)"),
        (b'{"a":' * 20_000, "malformed_body", "too many levels"),
        (b"[" * 60_000, "malformed_body", "too many levels"),
        (b"null", "wrong_type", "null; an object is allowed"),
        (b"5", "wrong_type", "a number; an object is allowed"),
        (b'"p"', "wrong_type", "text; an object is allowed"),
        (b'[{"p":"proj_shop"}]', "wrong_type", "an array; an object is allowed"),
    ],
)
def test_a_body_that_is_no_json_object(
    body: bytes, code: str, message: str | None
) -> None:
    one = refusal(decode_one, body)
    batch = refusal(decode_batch, body, 100)

    assert one == batch
    assert one[0] == code
    assert one[1].startswith(f"body: got {message or 'malformed JSON'}")


@pytest.mark.parametrize("number", [b"1" * 5000, b"1e99999999999999999999"])
def test_a_number_that_nothing_can_hold(number: bytes) -> None:
    sent = b'{"p":%s,"name":"a","properties":{"n":%s}}' % (number, number)

    assert refusal(decode_one, sent) == ("over_limit", f"body: {HUGE}")
    assert refusal(event, sent) == ("over_limit", f"event: {HUGE}")


@pytest.mark.parametrize(
    ("p", "code", "got"),
    [
        (None, "missing_field", "nothing"),
        ("", "missing_field", "nothing"),
        (5, "wrong_type", "a number"),
        (["proj_shop"], "wrong_type", "an array"),
        ("shop", "invalid_value", "another text"),
        ("proj_", "invalid_value", "another text"),
        ("proj_a b", "invalid_value", "another text"),
        ("proj_shop\n", "invalid_value", "another text"),
        ("sk_proj_secret", "invalid_value", "another text"),
    ],
)
def test_a_body_says_whose_events_it_holds(p: object, code: str, got: str) -> None:
    body = json.dumps({"p": p, "name": "a", "events": [{}]}).encode()

    assert refusal(decode_one, body) == (code, f"p: got {got}; {P}")
    assert refusal(decode_batch, body, 100) == (code, f"p: got {got}; {P}")


@pytest.mark.parametrize(
    ("events", "code", "got"),
    [
        (None, "missing_field", "nothing"),
        ([], "over_limit", "0 events"),
        ([{}] * 101, "over_limit", "101 events"),
    ],
)
def test_a_batch_lists_its_events(events: object, code: str, got: str) -> None:
    body = json.dumps({"p": PROJECT, "events": events}).encode()

    assert refusal(decode_batch, body, 100) == (code, f"events: got {got}; {EVENTS}")


@pytest.mark.parametrize(
    ("events", "got"), [({}, "an object"), ("a", "text"), (5, "a number")]
)
def test_the_events_of_a_batch_are_an_array(events: object, got: str) -> None:
    body = json.dumps({"p": PROJECT, "events": events}).encode()

    assert refusal(decode_batch, body, 100) == (
        "wrong_type",
        f"events: got {got}; an array of events is allowed",
    )


def test_a_batch_is_cut_into_its_events() -> None:
    body = json.dumps({"p": PROJECT, "events": [{"name": "a"}, 5]}).encode()

    batch = decode_batch(body, 2)

    assert (batch.project_id, batch.size_bytes) == (PROJECT, len(body))
    assert [bytes(sent) for sent in batch.events] == [b'{"name": "a"}', b"5"]


def test_a_single_body_is_its_own_event() -> None:
    body = json.dumps({"p": PROJECT, "name": "a"}).encode()

    one = decode_one(body)

    assert (one.project_id, one.size_bytes) == (PROJECT, len(body))
    assert list(one.events) == [body]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.text(max_size=4), inner, max_size=2)
    ),
    max_leaves=4,
)
fields = """
    p name id events timestamp anonymousId userId sessionId url referrer screenWidth
    screenHeight language platform properties
"""
wire_names = st.sampled_from(fields.split())


@settings(deadline=None)
@given(
    st.binary()
    | st.dictionaries(wire_names, json_values, max_size=4).map(
        lambda sent: json.dumps(sent).encode()
    ),
    st.sampled_from(["browser", "server"]),
)
def test_any_bytes_are_an_event_or_a_refusal(body: bytes, sent_by: Sender) -> None:
    sending = Sending(project_id=PROJECT, sent_by=sent_by, received_at=NOON)
    for decode in (decode_one, lambda b: decode_batch(b, 100)):
        with suppress(InvalidRequestError):
            assert decode_event(decode(body).events[0], sending).name
