from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from clamp_analytics import (
    ClampConnectionError,
    ClampError,
    ClampHTTPError,
    Money,
    context,
)
from clamp_analytics.integrations._offload import can_pass, packed, unpacked

NOON = datetime(2026, 3, 10, 12, tzinfo=timezone.utc)


def test_a_call_is_packed_with_the_context_around_it() -> None:
    with context("aid_1", "u_1", {"plan": "pro", "step": 1}):
        call = packed("bought", {"step": 2}, timestamp=NOON)

    assert call == {
        "name": "bought",
        "properties": {"plan": "pro", "step": 2},
        "anonymous_id": "aid_1",
        "timestamp": "2026-03-10T12:00:00+00:00",
        "user_id": "u_1",
    }


def test_what_is_given_wins_over_the_context() -> None:
    with context("aid_1", "u_1"):
        call = packed("bought", None, "aid_2", NOON, user_id="u_2")

    assert (call["anonymous_id"], call["user_id"]) == ("aid_2", "u_2")


def test_the_moment_is_that_of_the_call() -> None:
    before = datetime.now(timezone.utc)  # noqa: TID251
    moment = datetime.fromisoformat(packed("bought")["timestamp"])

    assert before <= moment <= datetime.now(timezone.utc)  # noqa: TID251


@pytest.mark.parametrize(
    ("timestamp", "text"),
    [
        (NOON.replace(tzinfo=None), "2026-03-10T12:00:00+00:00"),
        (
            NOON.astimezone(timezone(timedelta(hours=1))),
            "2026-03-10T13:00:00+01:00",
        ),
        ("2026-03-10", "2026-03-10"),
    ],
)
def test_a_timestamp_travels_as_text(timestamp: Any, text: str) -> None:
    assert packed("bought", timestamp=timestamp)["timestamp"] == text


@pytest.mark.parametrize("amount", [29, 29.5, Decimal("0.10")])
def test_money_survives_the_way_through_json(amount: Any) -> None:
    call = packed("bought", {"total": Money(amount, "USD"), "plan": "pro"})
    properties = unpacked(json.loads(json.dumps(call["properties"])))

    assert properties == {"total": Money(amount, "USD"), "plan": "pro"}
    assert properties is not None
    assert type(properties["total"].amount) is type(amount)


def test_what_is_packed_already_stays_as_it_is() -> None:
    call = packed("bought", {"total": Money(Decimal("0.10"), "USD")}, "aid_1")

    assert packed(**call) == call


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("bought", {"items": ["coffee"]}), "unsupported type"),
        (("bought", {"items": {"amount": 1}}), "unsupported type"),
        (("bought", ["coffee"]), "properties must be a dict"),
    ],
)
def test_what_cannot_be_sent_is_refused(arguments: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        packed(*arguments)


@pytest.mark.parametrize(
    ("error", "answer"),
    [
        (ClampConnectionError("no answer"), True),
        (ClampHTTPError(503, ""), True),
        (ClampHTTPError(429, ""), True),
        (ClampHTTPError(401, ""), False),
        (ClampError("closed"), False),
    ],
)
def test_trouble_passes_unless_the_event_is_refused(
    error: ClampError, answer: bool
) -> None:
    assert can_pass(error) is answer
