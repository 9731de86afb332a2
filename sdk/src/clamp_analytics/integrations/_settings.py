"""Options as a framework's settings hold them: in capital letters."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

import clamp_analytics
from clamp_analytics.integrations._web import WEB_OPTIONS

SETTINGS = frozenset(
    name.upper()
    for name in WEB_OPTIONS | set(inspect.signature(clamp_analytics.init).parameters)
)


def from_settings(settings: object) -> dict[str, Any]:
    """The options of `CLAMP = {"PROJECT_ID": ..., ...}`, without unknown ones."""
    if not isinstance(settings, Mapping):
        return {}
    return {name.lower(): value for name, value in settings.items() if name in SETTINGS}


def troubles(settings: object) -> list[str]:
    """What `from_settings` passes over: a sentence each."""
    if settings is None:
        return []
    if not isinstance(settings, Mapping):
        return [f"CLAMP must be a dict, not {type(settings).__name__}"]
    return [_unknown(name) for name in settings if name not in SETTINGS]


def _unknown(name: object) -> str:
    near = get_close_matches(str(name).upper(), SETTINGS, n=1)
    meant = f"; did you mean {near[0]!r}?" if near else ""
    return f"CLAMP has no option {name!r}{meant}"
