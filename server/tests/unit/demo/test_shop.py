"""The shop on its own: what it tracks, and when."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.unit.demo.answering import Answering, browsing

from clamp_server.demo.happening import Visit
from clamp_server.demo.plan import plan

clamp_analytics = pytest.importorskip(
    "clamp_analytics", reason="the demo's shop talks through the SDK"
)
KEY = "sk_proj_" + "a" * 32
UNTIL = datetime(2024, 3, 12, 15, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def visit() -> Visit:
    """The first visit of some length in which the server does much."""
    planned = plan(UNTIL, days=30, events=3_000, seed=7)
    visits = (happening for happening in planned if isinstance(happening, Visit))
    return next(visit for visit in visits if len(visit.deeds) >= 4)


class Kept:
    """A shop whose events are kept here and go no further."""

    def __init__(self) -> None:
        from clamp_server.demo.shop import Shop

        self.make = Shop
        self.tracked: list[tuple[Any, ...]] = []
        self.clamp = clamp_analytics.Clamp("proj_x", KEY, before_send=self._keep)

    def _keep(self, event: Any) -> None:
        self.tracked.append((event.name, event.timestamp, event.anonymous_id))


def test_a_visit_in_pieces_is_the_same_visit(visit: Visit) -> None:
    whole, parts = Kept(), Kept()
    with browsing(at_once := Answering()) as browsers:
        shop = whole.make(whole.clamp, browsers)
        shop.serve(visit)
        shop.flush()
    with browsing(in_pieces := Answering()) as browsers:
        bit_by_bit = parts.make(parts.clamp, browsers)
        seen_at = visit.at
        while seen_at <= visit.end:
            at = seen_at + timedelta(seconds=7)
            bit_by_bit.go_on(visit, seen_at, at)
            bit_by_bit.flush()
            seen_at = at

    assert parts.tracked == whole.tracked
    assert bit_by_bit.sent == shop.sent
    assert len(in_pieces.taken) > len(at_once.taken) == 1
    assert [event for *_, events in in_pieces.taken for event in events] == [
        event for *_, events in at_once.taken for event in events
    ]


def test_events_of_the_server_that_are_lost_end_the_demo(visit: Visit) -> None:
    from clamp_analytics.testing import Answer, RecordingTransport
    from clamp_server.demo.shop import Shop

    lost: list[Exception] = []
    clamp = clamp_analytics.Clamp(
        "proj_x",
        KEY,
        background=True,
        transport=RecordingTransport(Answer(400, "{}")),
        on_error=lambda error, _: lost.append(error),
    )
    with clamp, browsing(Answering()) as browsers:
        shop = Shop(clamp, browsers)
        shop.serve(visit)

        with pytest.raises(RuntimeError, match="not all events arrived: Stats"):
            shop.flush()

    assert len(lost) == 1
