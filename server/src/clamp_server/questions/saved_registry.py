"""Everything that works with what is saved, for every surface."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from clamp_server.questions.alerts import alerts_create, alerts_delete, alerts_list
from clamp_server.questions.cohorts import (
    cohorts_compare,
    cohorts_create,
    cohorts_delete,
    cohorts_list,
    cohorts_retention,
)
from clamp_server.questions.funnels import (
    funnels_create,
    funnels_delete,
    funnels_list,
)
from clamp_server.questions.saved import SavedEntry

# Each has its own body and answer; a surface passes them through unseen.
AnyEntry = SavedEntry[Any, Any]

SAVED: Mapping[str, AnyEntry] = MappingProxyType(
    {
        entry.name: entry
        for entry in (
            funnels_create,
            funnels_list,
            funnels_delete,
            cohorts_create,
            cohorts_list,
            cohorts_retention,
            cohorts_compare,
            cohorts_delete,
            alerts_create,
            alerts_list,
            alerts_delete,
        )
    }
)
"""By public name, in the order of the reference."""
