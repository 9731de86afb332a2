"""An event as one row of `events`, in the order of `schema.EVENTS`."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TypeAlias

from clamp_server.model.event import EnrichedEvent

Cell: TypeAlias = (
    str
    | int
    | bool
    | datetime
    | dict[str, str]
    | dict[str, float]
    | dict[str, bool]
    | dict[str, Decimal]
)


def event_row(event: EnrichedEvent, seq: int) -> tuple[Cell, ...]:
    """Return the cells of one event, as many as `schema.EVENTS` has columns.

    Args:
        seq: The store's own column; everything else is the event's.
    """
    page, arrival, device = event.page, event.arrival, event.device
    place, properties, bug = event.place, event.properties, event.bug
    money = properties.money
    # Written out, in the order of the table: an attribute getter per column
    # costs four times as much, on the thread that every request waits for.
    return (
        event.project_id,
        seq,
        event.id,
        event.name,
        event.sent_by,
        event.occurred_at,
        event.received_at,
        event.anonymous_id,
        event.user_id,
        event.session_id,
        page.url,
        page.hostname,
        page.pathname,
        page.utm_source,
        page.utm_medium,
        page.utm_campaign,
        page.utm_content,
        page.utm_term,
        arrival.referrer,
        arrival.referrer_host,
        arrival.channel,
        device.browser,
        device.browser_version,
        device.os,
        device.os_version,
        device.device_type,
        place.country,
        place.region,
        place.city,
        event.screen_width,
        event.screen_height,
        event.language,
        event.platform,
        properties.strings,
        properties.numbers,
        properties.booleans,
        {key: value.amount for key, value in money.items()},
        {key: value.currency for key, value in money.items()},
        bug.message,
        bug.type,
        bug.stack,
        bug.handled,
        bug.fingerprint,
        bug.fingerprint_version,
        bug.fingerprint_parts,
    )
