"""For tests of applications that track: no network, and asserts that read well.

    def test_a_signup_is_tracked(client, clamp_events):
        client.post("/signup", data={"plan": "pro"})

        clamp_events.assert_tracked("signup", plan="pro")

`clamp_events` is a pytest fixture. Without pytest, `with capture_events() as
clamp_events:` does the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import overload

from clamp_analytics._capture import captured_by
from clamp_analytics._client import Clamp, default_client, replace_default_client
from clamp_analytics._exchange import Answer
from clamp_analytics._waiting import decode_waiting
from clamp_analytics._wire import Event, Money, PropertyValue
from clamp_analytics.errors import ClampConnectionError, ClampNotInitializedError

__all__ = [
    "Answer",
    "RecordedRequest",
    "RecordingTransport",
    "TrackedEvents",
    "capture_events",
]


class TrackedEvents(Sequence[Event]):
    """What was tracked, oldest first."""

    def __init__(self) -> None:
        self._events: list[Event] = []

    @overload
    def __getitem__(self, index: int) -> Event: ...

    @overload
    def __getitem__(self, index: slice) -> list[Event]: ...

    def __getitem__(self, index: int | slice) -> Event | list[Event]:
        return self._events[index]

    def __len__(self) -> int:
        return len(self._events)

    def __repr__(self) -> str:
        return f"TrackedEvents({self._events})"

    def add(self, event: Event) -> None:
        """Add an event as it is now."""
        self._events.append(replace(event, properties=dict(event.properties)))

    def clear(self) -> None:
        """Forget what was tracked so far."""
        self._events.clear()

    def names(self) -> list[str]:
        """The names of all events."""
        return [event.name for event in self]

    def named(self, name: str) -> list[Event]:
        """The events of this name."""
        return [event for event in self if event.name == name]

    def one(self, name: str) -> Event:
        """The event of this name, of which there must be exactly one.

        Raises:
            AssertionError: If there is none, or more than one.
        """
        events = self.named(name)
        if len(events) != 1:
            found = f"{len(events)} events {name!r}" if events else f"no event {name!r}"
            raise AssertionError(f"{found}, where one was expected; {self._list()}")
        return events[0]

    def assert_tracked(
        self,
        name: str,
        /,
        *,
        anonymous_id: str | None = None,
        user_id: str | None = None,
        **properties: PropertyValue,
    ) -> Event:
        """Check that an event has this name and these values; it may have more.

        Amounts of money are compared by value: 29 is `Decimal("29.00")`. True is
        not 1, because the server does not take the one for the other either.

        Args:
            anonymous_id: None means that it does not matter.
            user_id: None means the same.

        Returns:
            The first such event.

        Raises:
            AssertionError: If there is none; it says what others have instead.
        """
        expected = _Expected(name, _given(anonymous_id, user_id), properties)
        for event in self:
            if expected.is_met_by(event):
                return event
        raise AssertionError(f"no event {expected}; {self._list(expected)}")

    def assert_not_tracked(
        self,
        name: str,
        /,
        *,
        anonymous_id: str | None = None,
        user_id: str | None = None,
        **properties: PropertyValue,
    ) -> None:
        """Check that no event has this name and these values.

        Raises:
            AssertionError: If there is one.
        """
        expected = _Expected(name, _given(anonymous_id, user_id), properties)
        if any(map(expected.is_met_by, self)):
            raise AssertionError(
                f"an event {expected}, where none was expected; {self._list()}"
            )

    def assert_nothing_tracked(self) -> None:
        """Check that there is no event.

        Raises:
            AssertionError: If there is one.
        """
        if self._events:
            raise AssertionError(f"no event was expected; {self._list()}")

    def _list(self, expected: _Expected | None = None) -> str:
        if not self._events:
            return "nothing was tracked"
        lines = [_line(event, expected) for event in self]
        return "\n  ".join(["tracked were:", *lines])


@dataclass(frozen=True)
class _Expected:
    """What an event is compared with."""

    name: str
    ids: Mapping[str, str]
    properties: Mapping[str, PropertyValue]

    def __str__(self) -> str:
        values = {**self.ids, **self.properties}
        wanted = ", ".join(f"{key}={value!r}" for key, value in values.items())
        return f"{self.name!r} with {wanted}" if wanted else repr(self.name)

    def is_met_by(self, event: Event) -> bool:
        return event.name == self.name and not self.unmet(event)

    def unmet(self, event: Event) -> list[str]:
        """What an event of this name has instead; of another name, nothing."""
        if event.name != self.name:
            return []
        ids = _given(event.anonymous_id, event.user_id)
        return [*_unmet(self.ids, ids), *_unmet(self.properties, event.properties)]


def _given(anonymous_id: str | None, user_id: str | None) -> dict[str, str]:
    ids = {"anonymous_id": anonymous_id, "user_id": user_id}
    return {key: value for key, value in ids.items() if value is not None}


def _unmet(
    wanted: Mapping[str, PropertyValue], there: Mapping[str, PropertyValue]
) -> Iterator[str]:
    for key, value in wanted.items():
        if key not in there:
            yield f"{key} is missing"
        elif not _is_same(value, there[key]):
            yield f"{key} is {there[key]!r}"


def _is_same(wanted: PropertyValue, there: PropertyValue) -> bool:
    if isinstance(wanted, Money) and isinstance(there, Money):
        # By the digits that they print with: 29.9 is not quite 29.90 otherwise.
        amounts = {Decimal(str(money.amount)) for money in (wanted, there)}
        return len(amounts) == 1 and wanted.currency == there.currency
    return wanted == there and isinstance(wanted, bool) is isinstance(there, bool)


def _line(event: Event, expected: _Expected | None) -> str:
    values = {**_given(event.anonymous_id, event.user_id), **event.properties}
    shown = " ".join(
        [event.name, *(f"{key}={value!r}" for key, value in values.items())]
    )
    unmet = expected.unmet(event) if expected else []
    return f"{shown}  <- {', '.join(unmet)}" if unmet else shown


@contextmanager
def capture_events() -> Iterator[TrackedEvents]:
    """Keep every event of a block in memory in place of sending it.

    That is what any client tracks, on any thread and in any task: the module's
    functions, also before `init()`, `Clamp` and `AsyncClamp`, with background
    delivery or without it. Arguments are checked and `before_send` is called as
    ever, and also where Clamp is switched off. A client that is made in the block
    needs no key, and never sends; an `init()` in the block ends with it.
    """
    events = TrackedEvents()
    with captured_by(events.add):
        before = _default_client()
        if before is None:
            replace_default_client(Clamp())
        try:
            yield events
        finally:
            if _default_client() is not before:
                replace_default_client(before)


def _default_client() -> Clamp | None:
    try:
        return default_client("capture_events")
    except ClampNotInitializedError:
        return None


@dataclass(frozen=True)
class RecordedRequest:
    """A request that would have gone to the server."""

    path: str
    body: bytes
    headers: Mapping[str, str]


class RecordingTransport:
    """Stands in for the network: `Clamp(..., transport=RecordingTransport())`.

    Everything up to the network is the real thing, background delivery as well,
    which needs a `flush()` before its events are here.

    Args:
        replies: What to answer, one request after the other, the last one for all
            that follow: an `Answer`, or a `ClampConnectionError` for none.

    Attributes:
        requests: All of them, in the order that they came.
        events: Those that were answered with 2xx.
    """

    def __init__(self, *replies: Answer | ClampConnectionError) -> None:
        self.requests: list[RecordedRequest] = []
        self.events = TrackedEvents()
        self._replies = list(replies or [Answer(200, '{"ok":true}')])

    def post(
        self,
        path: str,
        body: bytes,
        headers: Mapping[str, str] | None = None,
        *,
        compress: bool = False,
    ) -> Answer:
        """Record a request, and reply as told.

        Raises:
            ClampConnectionError: If that is the reply.
        """
        self.requests.append(RecordedRequest(path, body, dict(headers or {})))
        reply = self._replies.pop(0) if len(self._replies) > 1 else self._replies[0]
        if isinstance(reply, ClampConnectionError):
            raise reply
        if reply.is_success:
            sent = json.loads(body)
            for event in sent.get("events", [sent]):
                self.events.add(decode_waiting(json.dumps(event).encode()))
        return reply

    def retire(self) -> None:
        """Nothing: there is no connection to close."""
