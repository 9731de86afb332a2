from __future__ import annotations

from collections import Counter, OrderedDict
from types import MappingProxyType
from typing import Any

import pytest

from clamp_analytics import context
from clamp_analytics._clock import now_text
from clamp_analytics._compose import Composer
from clamp_analytics._wire import Event, encode_event

AT = "2026-04-29T12:00:00Z"


def test_properties_that_grow_meanwhile_are_sent_as_they_were() -> None:
    properties: dict[str, Any] = {}

    class Growing(str):
        """Adds a property when it is looked at, as another thread might."""

        @property  # type: ignore[misc]  # what a look is noticed by
        def __class__(self) -> Any:
            properties[f"late_{len(properties)}"] = "x"
            return str

    properties.update(first=Growing("1"), second="2")
    event = Composer(None, None).event("signup", properties, None, AT, None)

    assert event is not None
    assert encode_event("p", event) == (
        b'{"p":"p","name":"signup","timestamp":"2026-04-29T12:00:00Z",'
        b'"properties":{"first":"1","second":"2"}}'
    )
    assert len(properties) > 2


def composed(composer: Composer, **arguments: Any) -> Event | None:
    """What `track("signup", **arguments)` would send."""
    given = {
        "properties": None,
        "anonymous_id": None,
        "timestamp": AT,
        "user_id": None,
        **arguments,
    }
    return composer.event("signup", **given)


def test_an_event_has_what_the_caller_says() -> None:
    event = composed(
        Composer(None, None),
        properties={"plan": "pro"},
        anonymous_id="aid_1",
        user_id="u_1",
    )

    assert event == Event("signup", AT, {"plan": "pro"}, "aid_1", "u_1")


def test_without_anything_an_event_is_bare_and_of_now() -> None:
    before, event, after = (
        now_text(),
        composed(Composer(None, None), timestamp=None),
        now_text(),
    )

    assert event is not None
    assert before <= str(event.timestamp) <= after
    assert event == Event("signup", event.timestamp, {}, None, None)


def test_the_caller_goes_over_the_context_and_that_over_the_defaults() -> None:
    composer = Composer({"a": 1, "b": 1, "c": 1}, None)
    with context("aid_1", "u_1", {"b": 2, "c": 2, "d": 2}):
        bare = composed(composer)
        full = composed(
            composer,
            properties={"c": 3, "d": 3, "e": 3},
            anonymous_id="aid_3",
            user_id="u_3",
        )
    outside = composed(composer, properties={"c": 3})

    assert [bare, full, outside] == [
        Event("signup", AT, {"a": 1, "b": 2, "c": 2, "d": 2}, "aid_1", "u_1"),
        Event("signup", AT, {"a": 1, "b": 2, "c": 3, "d": 3, "e": 3}, "aid_3", "u_3"),
        Event("signup", AT, {"a": 1, "b": 1, "c": 3}, None, None),
    ]


def test_an_empty_id_is_an_id() -> None:
    with context("aid_1", "u_1"):
        event = composed(Composer(None, None), anonymous_id="", user_id="")

    assert event == Event("signup", AT, {}, "", "")


def test_an_error_event_has_them_too_and_its_own_properties_first() -> None:
    composer = Composer({"a": 1, "b": 1, "error.type": "x"}, None)
    with context("aid_1", "u_1", {"b": 2, "c": 2}):
        event = composer.error_event(ValueError("x"), {"c": 3}, None, AT, None)

    assert event == Event(
        "$error",
        AT,
        {
            "error.message": "x",
            "error.type": "ValueError",
            "error.stack": "ValueError: x\n",
            "error.handled": True,
            "a": 1,
            "b": 2,
            "c": 3,
        },
        "aid_1",
        "u_1",
    )


def test_an_error_event_of_ones_own_ids_is_of_now() -> None:
    before = now_text()
    event = Composer(None, None).error_event(ValueError(), None, "aid", None, "u")

    assert event is not None
    assert (event.anonymous_id, event.user_id) == ("aid", "u")
    assert before <= str(event.timestamp) <= now_text()


def test_the_hook_gets_every_event_and_may_change_it() -> None:
    seen = []

    def scrub(event: Event) -> Event:
        seen.append(event.name)
        event.properties.pop("email", None)
        event.user_id = "scrubbed"
        return event

    composer = Composer({"email": "a@example.com", "plan": "pro"}, scrub)
    properties = {"email": "b@example.com"}
    event = composed(composer, properties=properties)
    composer.error_event(ValueError(), None, None, AT, None)

    assert event == Event("signup", AT, {"plan": "pro"}, None, "scrubbed")
    assert seen == ["signup", "$error"]
    assert properties == {"email": "b@example.com"}
    assert composed(composer) == event


def test_the_hook_may_give_another_event_or_none() -> None:
    other = Event("other", AT)

    assert composed(Composer(None, lambda event: other)) is other
    assert composed(Composer(None, lambda event: None)) is None


def test_what_the_hook_raises_goes_to_the_caller() -> None:
    def broken(event: Event) -> Event:
        raise LookupError("broken hook")

    with pytest.raises(LookupError, match="broken hook"):
        composed(Composer(None, broken))


def test_defaults_are_as_they_were_when_the_client_was_made() -> None:
    defaults = {"plan": "pro"}
    composer = Composer(defaults, None)
    defaults["plan"] = "free"

    assert composed(composer) == Event("signup", AT, {"plan": "pro"})


@pytest.mark.parametrize("kind", [MappingProxyType, OrderedDict, Counter])
def test_properties_may_be_any_mapping(kind: Any) -> None:
    event = composed(Composer(kind({"a": 1}), None), properties=kind({"b": 2}))

    assert event == Event("signup", AT, {"a": 1, "b": 2})
    assert type(event.properties) is dict


@pytest.mark.parametrize("wrong", [[("a", 1)], "plan", 3, {"a"}], ids=repr)
def test_what_is_no_mapping_is_refused_by_name(wrong: Any) -> None:
    kind = type(wrong).__name__

    with pytest.raises(ValueError, match=f"^properties must be a dict, not {kind}$"):
        composed(Composer(None, None), properties=wrong)
    with pytest.raises(
        ValueError, match=f"^default_properties must be a dict, not {kind}$"
    ):
        Composer(wrong, None)


def test_only_an_exception_makes_an_error_event() -> None:
    text: Any = "boom"

    with pytest.raises(TypeError, match="not an exception instance, but 'boom'"):
        Composer(None, None).error_event(text, None, None, AT, None)


def test_a_hook_that_returns_something_else_is_told_so() -> None:
    composer = Composer(None, lambda event: event.properties)  # type: ignore[arg-type, return-value]  # the wrong type is the case

    with pytest.raises(ValueError, match="before_send must return an Event, or None"):
        composer.event("signup", None, None, None, None)
