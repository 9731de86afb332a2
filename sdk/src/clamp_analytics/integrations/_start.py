"""The default client as an integration starts it: in the background, or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import clamp_analytics
from clamp_analytics.integrations._guard import guarded

# With these an integration was started last.
_started: Mapping[str, Any] | None = None
# Why it is switched off.
_failure: str | None = None


def start(options: Mapping[str, Any]) -> None:
    """Call `init()` for an application that must run with or without Clamp.

    Delivery is in the background unless `options` say otherwise, so that `track()`
    never makes a request wait. Where something is missing or wrong there is one
    warning, and a client that is switched off. The same options again, and no
    options where there is a client already, change nothing: frameworks load their
    parts more than once.

    Args:
        options: Arguments of `init()`.
    """
    global _started, _failure
    if has_client() and (not options or options == _started):
        return
    _started, _failure = dict(options), None
    try:
        clamp_analytics.init(**{"background": True, **options})
    # The border to the host application: a wrong setting must not keep it from
    # starting.
    except Exception as error:
        _failure = str(error)
        guarded().warn("Clamp is switched off: %s", error)
        clamp_analytics.init(enabled=False)


def failure_of_start() -> str | None:
    """What kept the last `start` from its work; None if nothing did."""
    return _failure


def has_client() -> bool:
    """Whether `init()` was called."""
    try:
        clamp_analytics.stats()
    except clamp_analytics.ClampNotInitializedError:
        return False
    return True
