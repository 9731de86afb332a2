"""Small events for tests: name what matters, the rest has a plain value."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from clamp_server.model.event import (
    Arrival,
    Bug,
    Device,
    EnrichedEvent,
    Page,
    Place,
    Properties,
)
from clamp_server.model.ids import ProjectId

PROJECT = ProjectId("proj_shop")
TODAY = datetime(2026, 3, 10, tzinfo=UTC)
NOON = TODAY + timedelta(hours=12)


class HandClock:
    """A clock that is set by hand."""

    def __init__(self, at: datetime = NOON) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def advance(self, by: timedelta) -> None:
        self.at += by


def event(name: str = "signup", at: datetime = NOON, **changes: Any) -> EnrichedEvent:
    """Make an event sent by a server at `at`; `changes` are its attributes."""
    attributes: dict[str, Any] = {
        "project_id": PROJECT,
        "id": "",
        "name": name,
        "sent_by": "server",
        "occurred_at": at,
        "received_at": at,
        "anonymous_id": "",
        "user_id": "",
        "session_id": "",
        "screen_width": 0,
        "screen_height": 0,
        "language": "",
        "platform": "",
        "page": Page(),
        "arrival": Arrival(),
        "device": Device(),
        "place": Place(),
        "properties": Properties(),
        "bug": Bug(),
    }
    return EnrichedEvent(**(attributes | changes))


def view(
    session: str, at: datetime = NOON, path: str = "/", **changes: Any
) -> EnrichedEvent:
    """Make a browser's page view of `session`, whose visitor has the same name."""
    attributes: dict[str, Any] = {
        "sent_by": "browser",
        "session_id": session,
        "anonymous_id": session,
        "page": Page(
            url=f"https://shop.example{path}", hostname="shop.example", pathname=path
        ),
        "arrival": Arrival(channel="direct"),
        "device": Device(browser="Firefox", os="Linux", device_type="desktop"),
        "platform": "web",
    }
    return event("$pageview", at, **(attributes | changes))
