from __future__ import annotations

from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clamp_analytics import Event, Money
from clamp_analytics._clock import now_text
from clamp_analytics._waiting import (
    checked_id,
    decode_waiting,
    encode_unstamped,
    encode_waiting,
    new_id,
    stamped,
)
from clamp_analytics._wire import encode_event

AT = "2026-04-29T12:00:00Z"


def test_ids_are_32_hex_digits_and_never_the_same() -> None:
    ids = {new_id() for _ in range(1_000)}

    assert len(ids) == 1_000
    assert {len(one) for one in ids} == {32}
    assert set("".join(ids)) <= set("0123456789abcdef")


@pytest.mark.parametrize("event_id", ["e", "evt_1.A:b-2", "x" * 64])
def test_an_id_of_the_applications_own_is_taken_as_it_is(event_id: str) -> None:
    assert checked_id(event_id) == event_id


@pytest.mark.parametrize(
    "event_id", ["", "x" * 65, 'a"b', "a b", "a\n", "caf\u00e9", 7, b"evt_1"]
)
def test_an_id_that_would_have_to_be_escaped_is_refused(event_id: Any) -> None:
    with pytest.raises(ValueError, match="event_id must be") as caught:
        checked_id(event_id)

    assert str(caught.value) == (
        "event_id must be 1 to 64 letters, digits and characters of '._:-', not"
        f" {event_id!r:.100}"
    )


def test_a_waiting_event_has_its_id_first_and_no_project() -> None:
    event = Event("signup", AT, {"plan": "p\nro"}, anonymous_id="aid_1", user_id="u_1")

    assert encode_waiting("5" * 32, event) == (
        b'{"id":"55555555555555555555555555555555","name":"signup",'
        b'"timestamp":"2026-04-29T12:00:00Z","anonymousId":"aid_1","userId":"u_1",'
        b'"properties":{"plan":"p\\nro"}}'
    )


def test_a_waiting_event_is_checked_as_one_that_is_sent() -> None:
    wrong: Any = {"items": [1]}

    with pytest.raises(ValueError, match="property 'items' has the unsupported type"):
        encode_waiting("5" * 32, Event("signup", AT, wrong))


VALUES = st.text() | st.integers() | st.booleans() | st.floats(allow_nan=False)


@given(st.text(), st.dictionaries(st.text(), VALUES), st.none() | st.text())
def test_a_waiting_event_is_one_line_and_comes_back_equal(
    text: str, properties: dict[str, Any], one_id: str | None
) -> None:
    finite = {key: value for key, value in properties.items() if is_finite(value)}
    event = Event(text, AT, finite, one_id, one_id)
    waiting = encode_waiting("5" * 32, event)

    assert b"\n" not in waiting
    assert decode_waiting(waiting) == event


def is_finite(value: object) -> bool:
    return value not in (float("inf"), float("-inf"))


def test_an_amount_and_a_datetime_come_back_as_the_wire_has_them() -> None:
    at = datetime(2026, 4, 29, 12, tzinfo=timezone.utc)
    event = Event("purchase", at, {"total": Money(Decimal("0.10"), "USD")})

    back = decode_waiting(encode_waiting("5" * 32, event))

    assert back == Event("purchase", AT, {"total": Money(Decimal("0.10"), "USD")})
    assert str(back.properties["total"]) == (
        "Money(amount=Decimal('0.10'), currency='USD')"
    )


def test_an_event_without_a_stamp_gets_its_id_and_the_time_of_the_call() -> None:
    before = now_text()
    unstamped = encode_unstamped("sign\nup", {"plan": "p,ro"}, "aid_1", "u_1")
    after = now_text()
    event = stamped(unstamped, "evt_1")

    at = decode_waiting(event).timestamp
    assert [before, at, after] == sorted([before, str(at), after])
    assert (
        event
        == (
            f'{{"id":"evt_1","timestamp":"{at}","name":"sign\\nup",'
            '"anonymousId":"aid_1","userId":"u_1","properties":{"plan":"p,ro"}}'
        ).encode()
    )


def test_an_event_that_has_its_stamp_keeps_it() -> None:
    event = encode_waiting("5" * 32, Event("signup", AT))

    assert stamped(event, "evt_1") is event
    assert stamped(stamped(encode_unstamped("a", {}, None, None), "1"), "2").startswith(
        b'{"id":"1",'
    )


@given(st.text(), st.dictionaries(st.text(), VALUES), st.none() | st.text())
def test_an_event_without_a_stamp_is_one_line_and_comes_back_equal(
    text: str, properties: dict[str, Any], one_id: str | None
) -> None:
    finite = {key: value for key, value in properties.items() if is_finite(value)}
    unstamped = encode_unstamped(text, finite, one_id, one_id)
    event = decode_waiting(unstamped)

    assert b"\n" not in unstamped
    assert event == Event(text, event.timestamp, finite, one_id, one_id)


@pytest.mark.parametrize(
    ("name", "properties", "anonymous_id", "user_id"),
    [
        (b"signup", {}, None, None),
        ("signup", {"items": [1]}, None, None),
        ("signup", {"share": float("nan")}, None, None),
        ("signup", {1: "x"}, None, None),
        ("signup", {}, {1}, None),
        ("signup", {}, None, {1}),
    ],
)
def test_an_event_without_a_stamp_is_checked_as_any_other(
    name: Any, properties: Any, anonymous_id: Any, user_id: Any
) -> None:
    with pytest.raises(ValueError) as expected:  # noqa: PT011  # its text is compared
        encode_event("p", Event(name, AT, properties, anonymous_id, user_id))

    with pytest.raises(ValueError) as caught:  # noqa: PT011  # as above
        encode_unstamped(name, properties, anonymous_id, user_id)

    assert str(caught.value) == str(expected.value)
