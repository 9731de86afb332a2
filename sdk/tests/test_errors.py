from __future__ import annotations

import pickle

import pytest

from clamp_analytics import (
    ClampConnectionError,
    ClampError,
    ClampHTTPError,
    ClampNotInitializedError,
    QueueFullError,
)


@pytest.mark.parametrize(
    "kind",
    [ClampNotInitializedError, ClampConnectionError, ClampHTTPError, QueueFullError],
)
def test_clamp_error_catches_every_error(kind: type[Exception]) -> None:
    assert kind.__mro__[1] is ClampError


def test_an_http_error_carries_status_and_body_and_shows_both() -> None:
    error = ClampHTTPError(401, "invalid api key")

    assert (error.status_code, error.body) == (401, "invalid api key")
    assert str(error) == "the server answered 401: invalid api key"


def test_a_long_body_is_kept_whole_and_shown_in_part() -> None:
    error = ClampHTTPError(502, "x" * 100_000)

    assert len(error.body) == 100_000
    assert len(str(error)) < 2100


def test_an_http_error_survives_the_way_between_processes() -> None:
    error = pickle.loads(pickle.dumps(ClampHTTPError(429, "slow down")))

    assert (type(error), error.status_code, error.body, str(error)) == (
        ClampHTTPError,
        429,
        "slow down",
        "the server answered 429: slow down",
    )


def test_a_full_queue_says_which_limit_and_survives_that_way_too() -> None:
    error = pickle.loads(pickle.dumps(QueueFullError("outbox_full", "no room")))

    assert (type(error), error.reason, str(error)) == (
        QueueFullError,
        "outbox_full",
        "no room",
    )
