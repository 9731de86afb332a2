"""An exception is captured once, however many of us see it.

A task that fails is told of by its framework's signal and then by its framework's
log; a request by the middleware and then by the server around it. All of them get
the same object.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from clamp_analytics import Clamp
from clamp_analytics.integrations._guard import guarded, sender

# On the exception itself: it lives as long, and no table has to forget it.
_MARK = "__clamp_captured__"


def is_new(exception: BaseException) -> bool:
    """Whether the caller is the first of us to see `exception`; later ones are not."""
    if getattr(exception, _MARK, False):
        return False
    # A class may forbid attributes, with whatever it raises then: it is captured
    # as often as it is seen.
    with suppress(Exception):
        setattr(exception, _MARK, True)
    return True


def capture(
    exception: BaseException,
    context: Mapping[str, str | int | float | bool],
    client: Clamp | None = None,
    *,
    handled: bool,
) -> None:
    """Capture `exception`, if it is new; never raises.

    Args:
        context: As in `clamp_analytics.capture_error`.
        client: Sends it; None is the client of `init()`.
        handled: Whether the application caught it.
    """
    with guarded():
        if is_new(exception):
            sender(client).capture_error(exception, context, handled=handled)
