"""From the arguments of a call to an event.

What the caller says goes over what the context says, and that over what the client
adds to every event.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Optional

from clamp_analytics._clock import now_text
from clamp_analytics._context import current
from clamp_analytics._error_event import ERROR_EVENT, Context, error_properties
from clamp_analytics._wire import Event, Properties, PropertyValue

# Gets each event before it is sent, and returns it, changed or not, or None.
BeforeSend = Callable[[Event], Optional[Event]]


class Composer:
    """Makes the events of one client.

    Args:
        default_properties: Of every event, unless it has a value of its own.
        before_send: Gets every event last; what it raises goes to the caller.
    """

    def __init__(
        self, default_properties: Properties | None, before_send: BeforeSend | None
    ) -> None:
        self._defaults = _own_dict("default_properties", default_properties)
        self._before_send = before_send

    def event(
        self,
        name: str,
        properties: Properties | None,
        anonymous_id: str | None,
        timestamp: datetime | str | None,
        user_id: str | None,
    ) -> Event | None:
        """Make an event; None where `before_send` drops it.

        Raises:
            ValueError: If `properties` is no mapping.
        """
        at = now_text() if timestamp is None else timestamp
        merged = self.merged(properties, anonymous_id, user_id)
        return self._hooked(Event(name, at, *merged))

    def merged(
        self,
        properties: Properties | None,
        anonymous_id: str | None,
        user_id: str | None,
    ) -> tuple[dict[str, PropertyValue], str | None, str | None]:
        """Return the same, after what the context and the defaults have to say.

        Raises:
            ValueError: If `properties` is no mapping.
        """
        context = current()
        merged = _own_dict("properties", properties)
        if self._defaults or context.properties:
            merged = {**self._defaults, **context.properties, **merged}
        return (
            merged,
            context.anonymous_id if anonymous_id is None else anonymous_id,
            context.user_id if user_id is None else user_id,
        )

    def error_event(
        self,
        exception: BaseException,
        added: Context | None,
        anonymous_id: str | None,
        timestamp: datetime | str | None,
        user_id: str | None,
        *,
        handled: bool = True,
    ) -> Event | None:
        """Make the `$error` event of an exception; None as in `event`.

        Raises:
            TypeError: If `exception` is none.
        """
        context = current()
        around = {**self._defaults, **context.properties, **(added or {})}
        return self._hooked(
            Event(
                ERROR_EVENT,
                now_text() if timestamp is None else timestamp,
                dict(error_properties(exception, around, handled=handled)),
                context.anonymous_id if anonymous_id is None else anonymous_id,
                context.user_id if user_id is None else user_id,
            )
        )

    def _hooked(self, event: Event) -> Event | None:
        if self._before_send is None:
            return event
        hooked = self._before_send(event)
        if hooked is not None and not isinstance(hooked, Event):
            raise ValueError(
                "before_send must return an Event, or None to drop it, not"
                f" {type(hooked).__name__}"
            )
        return hooked


def _own_dict(argument: str, properties: Properties | None) -> dict[str, PropertyValue]:
    # Copied at once: another thread may be writing to the caller's dict.
    if properties is None:
        return {}
    if type(properties) is dict:
        return properties.copy()
    if not isinstance(properties, Mapping):
        raise ValueError(f"{argument} must be a dict, not {type(properties).__name__}")
    return dict(properties)
