from __future__ import annotations

from collections.abc import Sequence

import pytest
from tests.batch_sink import (
    BatchSink,
    Counts,
    Fault,
    hang,
    lose_answer,
    refuse,
    reset_mid_body,
)

from clamp_analytics import BackgroundDelivery, Clamp, ClampHTTPError, Event, Stats

EVENTS = 100


class Heard:
    """What `on_error` was told."""

    def __init__(self) -> None:
        self.errors: list[Exception] = []
        self.names: list[str] = []

    def __call__(self, error: Exception, events: Sequence[Event]) -> None:
        self.errors.append(error)
        self.names += [event.name for event in events]


def deliver(sink: BatchSink, heard: Heard, timeout_s: float = 30) -> tuple[bool, Stats]:
    """Track a hundred events, whether all have arrived, and what the client counts."""
    with Clamp(
        "proj_test",
        "sk_proj_test",
        sink.endpoint,
        timeout_s=timeout_s,
        background=BackgroundDelivery(),
        on_error=heard,
    ) as clamp:
        for number in range(EVENTS):
            assert clamp.track(f"event_{number}")
        return clamp.flush(30), clamp.stats()


@pytest.mark.parametrize("has_batches", [True, False])
@pytest.mark.parametrize(
    "faults",
    [
        pytest.param([refuse(500)], id="500"),
        pytest.param([refuse(503), refuse(408), refuse(502)], id="503-408-502"),
        pytest.param([reset_mid_body], id="reset"),
        pytest.param([reset_mid_body, refuse(500), reset_mid_body], id="resets-500"),
    ],
)
def test_what_failed_is_sent_again_and_stored_once(
    faults: list[Fault], has_batches: bool
) -> None:
    heard = Heard()
    with BatchSink(*faults, has_batches=has_batches) as sink:
        done = deliver(sink, heard)

    assert done == (True, Stats(sent=EVENTS, waiting=0, dropped={}))
    assert (sink.counts, sink.repeats) == (Counts(stored=EVENTS), 0)
    assert heard.names == []


@pytest.mark.parametrize(
    ("has_batches", "repeats"),
    [pytest.param(True, EVENTS, id="batch"), pytest.param(False, 1, id="singles")],
)
def test_an_answer_that_is_lost_after_storing_doubles_nothing(
    has_batches: bool, repeats: int
) -> None:
    heard = Heard()
    with BatchSink(lose_answer, has_batches=has_batches) as sink:
        done = deliver(sink, heard)

    assert done == (True, Stats(sent=EVENTS, waiting=0, dropped={}))
    assert (sink.counts, sink.repeats) == (Counts(stored=EVENTS), repeats)
    assert heard.names == []


def test_a_hung_connection_is_given_up_and_its_events_go_over_another() -> None:
    heard = Heard()
    with BatchSink(hang) as sink:
        done = deliver(sink, heard, timeout_s=0.3)

    assert done == (True, Stats(sent=EVENTS, waiting=0, dropped={}))
    assert sink.counts == Counts(stored=EVENTS)
    assert heard.names == []


@pytest.mark.parametrize("has_batches", [True, False])
def test_a_server_that_asks_for_two_seconds_gets_them(has_batches: bool) -> None:
    heard = Heard()
    with BatchSink(refuse(429, retry_after="2"), has_batches=has_batches) as sink:
        done = deliver(sink, heard)

    # What was under way by then on other connections may have arrived still.
    gaps_s = [after - at for at, after in zip(sink.arrivals, sink.arrivals[1:])]
    assert max(gaps_s) > 1.9
    assert done == (True, Stats(sent=EVENTS, waiting=0, dropped={}))
    assert sink.counts == Counts(stored=EVENTS)
    assert heard.names == []


@pytest.mark.parametrize("status", [400, 401])
def test_what_is_refused_for_good_is_told_once_and_not_sent_again(status: int) -> None:
    heard = Heard()
    with BatchSink(refuse(status)) as sink:
        done = deliver(sink, heard)
        with Clamp(
            "proj_test", "sk_proj_test", sink.endpoint, background=True
        ) as clamp:
            clamp.track("after")

    assert done == (False, Stats(sent=0, waiting=0, dropped={f"http_{status}": EVENTS}))
    assert [type(error) for error in heard.errors] == [ClampHTTPError]
    assert sorted(heard.names) == sorted(f"event_{n}" for n in range(EVENTS))
    assert (sink.names, len(sink.arrivals)) == ({"after"}, 2)


def test_one_event_that_is_refused_costs_the_others_nothing() -> None:
    heard = Heard()
    with BatchSink(refuse(400), has_batches=False) as sink:
        done = deliver(sink, heard)

    assert done == (
        False,
        Stats(sent=EVENTS - 1, waiting=0, dropped={"http_400": 1}),
    )
    assert sink.counts == Counts(stored=EVENTS - 1)
    assert len(heard.names) == 1
    assert heard.names[0] not in sink.names
