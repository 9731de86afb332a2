"""What a test may ask of the events that were tracked, and what it is told."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from clamp_analytics import Event, Money
from clamp_analytics.testing import TrackedEvents

AT = "2026-01-01T00:00:00Z"
THREE = """tracked were:
  login
  signup anonymous_id='aid_1' plan='free'
  signup user_id='u_1' plan='pro' seats=3"""


@pytest.fixture
def three() -> TrackedEvents:
    """A login without anything, and two signups."""
    events = TrackedEvents()
    events.add(Event("login", AT))
    events.add(Event("signup", AT, {"plan": "free"}, "aid_1"))
    events.add(Event("signup", AT, {"plan": "pro", "seats": 3}, None, "u_1"))
    return events


def complaint(check: Callable[..., object], *given: Any, **expected: Any) -> str:
    with pytest.raises(AssertionError) as caught:
        check(*given, **expected)
    return str(caught.value)


def test_events_are_a_sequence(three: TrackedEvents) -> None:
    assert (len(three), three[0], three[1:]) == (
        3,
        Event("login", AT),
        [
            Event("signup", AT, {"plan": "free"}, "aid_1"),
            Event("signup", AT, {"plan": "pro", "seats": 3}, None, "u_1"),
        ],
    )
    assert repr(three) == f"TrackedEvents({three[:]})"
    assert three.names() == ["login", "signup", "signup"]
    assert three.named("signup") == three[1:]


def test_an_event_is_kept_as_it_was() -> None:
    properties: dict[str, Any] = {"plan": "pro"}
    event = Event("signup", AT, properties)
    events = TrackedEvents()
    events.add(event)
    properties["plan"] = event.name = "changed"

    assert list(events) == [Event("signup", AT, {"plan": "pro"})]


def test_one_is_the_only_event_of_its_name(three: TrackedEvents) -> None:
    assert three.one("login") is three[0]
    assert complaint(three.one, "signup") == (
        f"2 events 'signup', where one was expected; {THREE}"
    )
    assert complaint(three.one, "logout") == (
        f"no event 'logout', where one was expected; {THREE}"
    )


def test_assert_tracked_gives_the_event_that_it_found(three: TrackedEvents) -> None:
    assert three.assert_tracked("signup") is three[1]
    assert three.assert_tracked("signup", plan="pro") is three[2]
    assert three.assert_tracked("signup", user_id="u_1", seats=3) is three[2]
    assert three.assert_tracked("signup", anonymous_id="aid_1") is three[1]


def test_assert_tracked_says_what_differs(three: TrackedEvents) -> None:
    assert complaint(three.assert_tracked, "signup", user_id="u_1", plan="team") == (
        "no event 'signup' with user_id='u_1', plan='team'; tracked were:\n"
        "  login\n"
        "  signup anonymous_id='aid_1' plan='free'"
        "  <- user_id is missing, plan is 'free'\n"
        "  signup user_id='u_1' plan='pro' seats=3  <- plan is 'pro'"
    )


def test_assert_tracked_lists_what_there_is(three: TrackedEvents) -> None:
    assert complaint(three.assert_tracked, "logout") == f"no event 'logout'; {THREE}"
    assert complaint(TrackedEvents().assert_tracked, "logout", a=1) == (
        "no event 'logout' with a=1; nothing was tracked"
    )


def test_assert_not_tracked_fails_on_what_is_there(three: TrackedEvents) -> None:
    three.assert_not_tracked("logout")
    three.assert_not_tracked("signup", plan="pro", anonymous_id="aid_1")

    assert complaint(three.assert_not_tracked, "signup", plan="pro") == (
        f"an event 'signup' with plan='pro', where none was expected; {THREE}"
    )


def test_assert_nothing_tracked_fails_on_anything(three: TrackedEvents) -> None:
    message = complaint(three.assert_nothing_tracked)
    three.clear()
    three.assert_nothing_tracked()

    assert message == f"no event was expected; {THREE}"


@pytest.mark.parametrize(
    ("there", "wanted", "is_same"),
    [
        (Money(Decimal("29.00"), "USD"), Money(29, "USD"), True),
        (Money(Decimal("29.90"), "USD"), Money(29.9, "USD"), True),
        (Money(29.9, "USD"), Money(Decimal("29.9"), "USD"), True),
        (Money(29, "USD"), Money(29, "EUR"), False),
        (Money(29, "USD"), Money(30, "USD"), False),
        (Money(29, "USD"), 29, False),
        (29, Money(29, "USD"), False),
        (3, 3.0, True),
        (3, "3", False),
        (True, True, True),
        (True, 1, False),
        (0, False, False),
    ],
)
def test_values_are_compared_as_the_server_takes_them(
    there: Any, wanted: Any, is_same: bool
) -> None:
    events = TrackedEvents()
    events.add(Event("x", AT, {"value": there}))

    if is_same:
        assert events.assert_tracked("x", value=wanted) is events[0]
    else:
        assert complaint(events.assert_tracked, "x", value=wanted).endswith(
            f"  <- value is {there!r}"
        )
