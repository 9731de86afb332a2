from __future__ import annotations

import logging

import pytest

import clamp_analytics
from clamp_analytics import Clamp
from clamp_analytics.integrations._guard import Guard, guarded, needs, sender


def test_what_goes_wrong_stays_inside_and_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with Guard():
        raise KeyError("visitor")

    assert caplog.record_tuples == [
        ("clamp_analytics", logging.WARNING, "KeyError: 'visitor'")
    ]


def test_there_is_one_line_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    seconds = iter([0.0, 59.9, 60.0])
    guard = Guard(lambda: next(seconds))

    for number in range(3):
        with guard:
            raise ValueError(number)

    assert caplog.messages == ["ValueError: 0", "ValueError: 2"]


def test_the_end_of_the_process_passes(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(KeyboardInterrupt), Guard():
        raise KeyboardInterrupt

    assert caplog.messages == []


def test_a_process_has_one_guard() -> None:
    assert guarded() is guarded()


def test_a_missing_framework_is_told_with_its_extra() -> None:
    with pytest.raises(ImportError) as raised, needs("django"):
        raise ModuleNotFoundError("No module named 'django'")

    assert str(raised.value) == (
        "No module named 'django'; this integration needs it:"
        ' pip install "clamp-analytics[django]"'
    )


def test_the_client_that_is_given_sends() -> None:
    with Clamp(enabled=False) as client:
        assert sender(client) is client


def test_without_a_client_that_of_init_sends() -> None:
    default = sender(None)
    clamp_analytics.init(enabled=False)

    assert default.track("signup") is False
