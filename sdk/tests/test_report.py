from __future__ import annotations

import logging
from collections.abc import Sequence

import pytest

from clamp_analytics._report import Reporter
from clamp_analytics._waiting import encode_waiting
from clamp_analytics._wire import Event, Money
from clamp_analytics.errors import ClampError

AT = "2026-04-29T12:00:00Z"
FULL = Event("signup", AT, {"plan": "pro", "total": Money(2.5, "USD")}, "aid_1", "u_1")
BARE = Event("login", AT)
WHY = ClampError("too bad")
Told = list[tuple[Exception, Sequence[Event]]]


def waiting(*events: Event) -> list[bytes]:
    return [encode_waiting("0" * 32, event) for event in events]


def lines(caplog: pytest.LogCaptureFixture) -> list[tuple[str, int, str]]:
    return caplog.record_tuples


def test_a_loss_is_told_with_its_reason_and_the_events() -> None:
    told: Told = []
    reporter = Reporter(lambda error, events: told.append((error, events)))
    reporter.drop("rejected", WHY, waiting(FULL, BARE))

    assert told == [(WHY, [FULL, BARE])]
    assert (reporter.dropped, reporter.lost_count) == ({"rejected": 2}, 2)


def test_who_is_told_finds_nothing_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    reporter = Reporter(lambda error, events: None)
    reporter.drop("rejected", WHY, waiting(BARE))
    reporter.finish()

    assert lines(caplog) == []


@pytest.mark.parametrize(
    "torn",
    [
        b"",
        b"{",
        b"\xff",
        b"null",
        b"[]",
        b"3",
        b"{}",
        b'{"name":"x"}',
        b'{"name":"x","timestamp":"t","properties":[]}',
        b'{"name":"x","timestamp":"t","properties":{"total":{"amount":1}}}',
        b'{"name":"x","timestamp":"t","properties":{"a":{"amount":1,"currency":"?"}}}',
    ],
)
def test_what_is_no_event_is_counted_and_not_handed_on(torn: bytes) -> None:
    told: Told = []
    reporter = Reporter(lambda error, events: told.append((error, events)))
    reporter.drop("outbox_corrupt", WHY, [torn, *waiting(BARE)])

    assert told == [(WHY, [BARE])]
    assert reporter.dropped == {"outbox_corrupt": 2}


def test_an_on_error_that_raises_is_logged_once_a_minute_and_ends_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    calls = []

    def on_error(error: Exception, events: Sequence[Event]) -> None:
        calls.append(events)
        raise LookupError("broken hook")

    reporter = Reporter(on_error)
    reporter.drop("rejected", WHY, waiting(FULL))
    reporter.drop("rejected", WHY, waiting(BARE))

    assert calls == [[FULL], [BARE]]
    assert lines(caplog) == [("clamp_analytics", logging.ERROR, "on_error raised")]
    assert "LookupError: broken hook" in caplog.text


def test_without_on_error_the_log_has_a_line_a_minute_and_one_at_the_end(
    caplog: pytest.LogCaptureFixture,
) -> None:
    reporter = Reporter(None)
    reporter.drop("rejected", WHY, waiting(BARE))
    for _ in range(9):
        reporter.drop("http_400", ClampError("worse"), waiting(FULL, BARE))
    during = lines(caplog)
    reporter.finish()
    reporter.finish()

    first = (
        "clamp_analytics",
        logging.WARNING,
        "1 events were dropped, the last one as rejected: too bad",
    )
    last = (
        "clamp_analytics",
        logging.WARNING,
        "18 events were dropped, the last one as http_400: worse",
    )
    assert (during, lines(caplog)) == ([first], [first, last])
    assert reporter.dropped == {"rejected": 1, "http_400": 18}


def test_trouble_has_a_line_a_minute_of_its_own(
    caplog: pytest.LogCaptureFixture,
) -> None:
    reporter = Reporter(None)
    for _ in range(5):
        reporter.trouble(WHY)
    reporter.drop("rejected", WHY, waiting(BARE))

    assert [message for _, _, message in lines(caplog)] == [
        "events wait, and are tried again: too bad",
        "1 events were dropped, the last one as rejected: too bad",
    ]


def test_what_the_application_dropped_itself_is_counted_and_no_loss(
    caplog: pytest.LogCaptureFixture,
) -> None:
    reporter = Reporter(None)
    reporter.count("before_send", 2)
    reporter.sent(3)
    reporter.finish()

    assert (reporter.sent_count, reporter.dropped, reporter.lost_count) == (
        3,
        {"before_send": 2},
        0,
    )
    assert lines(caplog) == []


def test_what_it_says_of_drops_is_a_copy() -> None:
    reporter = Reporter(None)
    before = reporter.dropped
    reporter.count("before_send", 1)

    assert (before, reporter.dropped) == ({}, {"before_send": 1})


def test_a_forked_child_begins_with_nothing_sent_and_nothing_lost(
    caplog: pytest.LogCaptureFixture,
) -> None:
    reporter = Reporter(None)
    reporter.sent(3)
    reporter.drop("rejected", WHY, waiting(BARE))
    reporter.drop("rejected", WHY, waiting(BARE))
    caplog.clear()
    reporter.forked()
    reporter.finish()

    assert (reporter.sent_count, reporter.dropped, reporter.lost_count) == (0, {}, 0)
    assert lines(caplog) == []


def test_of_a_file_that_nobody_can_read_it_says_that_much(
    caplog: pytest.LogCaptureFixture,
) -> None:
    Reporter(None).drop("outbox_corrupt", ClampError("cannot read x"), [])

    assert caplog.messages == ["events may be lost: cannot read x"]
