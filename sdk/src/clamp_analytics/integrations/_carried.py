"""The visitor and the user of the code that enqueues, as what a task takes along."""

from __future__ import annotations

from collections.abc import Mapping

from clamp_analytics import context
from clamp_analytics._context import current

# The message header, option or meta entry that holds it.
CARRIED = "clamp"


def carried() -> dict[str, str]:
    """The identity that an event made here would have, as plain JSON."""
    here = current()
    ids = {"anonymous_id": here.anonymous_id, "user_id": here.user_id}
    return {name: value for name, value in ids.items() if value}


def unpacked_context(carried: object) -> context:
    """The context of what a task brought along; an empty one where that is nothing."""
    ids: Mapping[object, object] = carried if isinstance(carried, Mapping) else {}
    return context(_text(ids.get("anonymous_id")), _text(ids.get("user_id")))


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
