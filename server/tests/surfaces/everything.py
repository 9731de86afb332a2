"""Events that together give every field of every answer a value."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tests.make import NOON, TODAY, event, view

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
from clamp_server.model.money import Money


def one_of_everything(project_id: ProjectId) -> list[EnrichedEvent]:
    """Make a few events of a project, each with all that one can have, or nothing."""
    whole: dict[str, Any] = {
        "project_id": project_id,
        "sent_by": "browser",
        "session_id": "sid",
        "anonymous_id": "aid",
        "user_id": "uid",
        "page": Page(url="https://shop.example/", pathname="/"),
        "arrival": Arrival(referrer_host="google.com", channel="organic_search"),
        "device": Device(
            browser="Firefox", browser_version="1", os="Linux", device_type="desktop"
        ),
        "place": Place(country="DE", city="Ulm"),
        "properties": Properties(
            strings={
                "plan": "pro",
                "product": "mug",
                "section": "hero",
                "engagement_seconds": "7",
                "max_scroll_pct": "80",
            },
            numbers={"seats": 5.0},
            booleans={"trial": True},
            money={"total": Money(Decimal(29), "USD")},
        ),
    }
    bug = Bug(message="boom", type="E", stack="s", handled=True, fingerprint="ab")
    return [
        event("signup", **whole),
        event("signup", TODAY.replace(day=9, hour=20), **whole),
        view("sid", project_id=project_id, place=whole["place"]),
        view("sid", NOON.replace(minute=1), project_id=project_id),
        event("$section_viewed", **whole),
        event("$pageview_end", **whole),
        event("$pageview", **whole),
        event("$error", bug=bug, **whole),
        # And one that knows next to nothing.
        event("$error", project_id=project_id),
        event("bare", NOON, project_id=project_id),
    ]
