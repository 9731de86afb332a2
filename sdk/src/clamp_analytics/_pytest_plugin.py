"""The fixture that pytest finds by itself.

Every run of pytest where this package is installed imports this module, so it does
no more than that.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from clamp_analytics.testing import TrackedEvents


@pytest.fixture
def clamp_events() -> Iterator[TrackedEvents]:
    """What the test tracks, in place of sending it; see `capture_events()`."""
    from clamp_analytics.testing import capture_events

    with capture_events() as events:
        yield events
