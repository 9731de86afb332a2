from __future__ import annotations

from typing import Any

from clamp_analytics._compose import Composer
from clamp_analytics._wire import encode_event

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
