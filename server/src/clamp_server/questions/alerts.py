"""Saved alerts: made, listed, deleted."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

import msgspec

from clamp_server.errors import InvalidRequestError
from clamp_server.model.alert import (
    CONDITIONS,
    DEFAULT_ALERT_PERIOD,
    Alert,
    Condition,
)
from clamp_server.model.instant import encode_instant
from clamp_server.model.period import ALLOWED_PERIODS, decode_period
from clamp_server.questions.metric import METRICS, Metric
from clamp_server.questions.parameter import MOST_CHARACTERS, Query, Text
from clamp_server.questions.saved import Deleted, Desk, SavedEntry, checked

ALERT_ID = Text("id", "the id of a saved alert")
ALLOWED_PATHNAME = f"a path of at most {MOST_CHARACTERS} characters, or null"


class AlertBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An alert to save."""

    metric: Metric
    condition: Condition
    threshold: float
    period: str = DEFAULT_ALERT_PERIOD
    pathname: str | None = None


@dataclass(frozen=True, slots=True)
class SavedAlert:
    """An alert as answers write it."""

    id: str
    metric: str
    condition: Condition
    threshold: float
    period: str
    pathname: str | None
    created_at: str


def create_alert(desk: Desk, _: Query, body: AlertBody) -> SavedAlert:
    """Save an alert."""
    zone = ZoneInfo(desk.project.time_zone)
    checked("period", lambda text: decode_period(text, zone, desk.now), body.period)
    if body.pathname is not None and len(body.pathname) > MOST_CHARACTERS:
        raise InvalidRequestError(
            f"pathname: must be {ALLOWED_PATHNAME}; got {len(body.pathname)}"
        )
    alert = desk.catalog.save_alert(
        desk.project.id,
        metric=body.metric,
        condition=body.condition,
        threshold=body.threshold,
        period=body.period,
        pathname=body.pathname or None,
    )
    return _shown(alert)


def list_alerts(desk: Desk, _: Query, __: None) -> list[SavedAlert]:
    """Return every saved alert, oldest first."""
    return [_shown(alert) for alert in desk.catalog.alerts(desk.project.id)]


def delete_alert(desk: Desk, query: Query, _: None) -> Deleted:
    """Delete the alert that is named."""
    desk.catalog.delete_alert(desk.project.id, ALERT_ID.read(query))
    return Deleted()


def _shown(alert: Alert) -> SavedAlert:
    return SavedAlert(
        id=alert.id,
        metric=alert.metric,
        condition=alert.condition,
        threshold=alert.threshold,
        period=alert.period,
        pathname=alert.pathname,
        created_at=encode_instant(alert.created_at),
    )


alerts_create = SavedEntry(
    name="alerts.create",
    method="POST",
    path="/alerts",
    meaning="Saves an alert.",
    body=AlertBody,
    fields={
        "metric": ", ".join(METRICS),
        "condition": ", ".join(CONDITIONS),
        "threshold": "a number",
        "period": ALLOWED_PERIODS,
        "pathname": ALLOWED_PATHNAME,
    },
    run=create_alert,
)
alerts_list = SavedEntry(
    name="alerts.list",
    method="GET",
    path="/alerts",
    meaning="Every saved alert.",
    run=list_alerts,
)
alerts_delete = SavedEntry(
    name="alerts.delete",
    method="DELETE",
    path="/alerts/{id}",
    meaning="Deletes a saved alert.",
    parameters=(ALERT_ID,),
    run=delete_alert,
)
