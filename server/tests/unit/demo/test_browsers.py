"""What browsers write of a visit, and what they do with the server's answers."""

from datetime import UTC, datetime, timedelta

import pytest
from tests.unit.demo.answering import Answering, browsing

from clamp_server.demo.browsers import BATCH_EVENTS, page_events
from clamp_server.demo.cast import visitor
from clamp_server.demo.happening import PageRead, Source, Visit

START = datetime(2024, 3, 12, 12, tzinfo=UTC)
SOMEBODY = visitor(1, 1)
OTHER = next(
    other
    for other in (visitor(1, number) for number in range(2, 99))
    if other.place != SOMEBODY.place and other.device != SOMEBODY.device
)


def read(path: str, start_s: int, end_s: int | None) -> PageRead:
    return PageRead(
        path=path,
        at=START + timedelta(seconds=start_s),
        left_at=None if end_s is None else START + timedelta(seconds=end_s),
        engaged_s=4,
        scroll_pct=80,
    )


def test_a_visit_is_written_as_the_browser_script_does() -> None:
    visit = Visit(
        visitor=SOMEBODY,
        session_id="sess_1",
        source=Source(
            channel="paid", referrer="https://www.google.com/", query="gclid=demo"
        ),
        pages=(read("/", 0, 5), read("/cart", 6, None)),
        deeds=(),
    )

    same = {
        "anonymousId": SOMEBODY.anonymous_id,
        "sessionId": "sess_1",
        "userId": "",
        "language": SOMEBODY.place.language,
        "platform": "web",
    }
    landing = {
        "url": "https://shop.example/?gclid=demo",
        "referrer": "https://www.google.com/",
    }
    cart = {
        "url": "https://shop.example/cart",
        "referrer": "https://shop.example/?gclid=demo",
    }
    read_so = {"engagement_seconds": "4", "max_scroll_pct": "80"}
    assert page_events(visit) == [
        same
        | landing
        | {"name": "$pageview", "timestamp": "2024-03-12T12:00:00.000+00:00"},
        same
        | landing
        | {"name": "$pageview_end", "timestamp": "2024-03-12T12:00:05.000+00:00"}
        | {"properties": read_so},
        same
        | cart
        | {"name": "$pageview", "timestamp": "2024-03-12T12:00:06.000+00:00"},
    ]


def test_batches_are_full_and_each_of_one_browser_at_one_address() -> None:
    with browsing(server := Answering()) as browsers:
        for number in range(BATCH_EVENTS + 20):
            browsers.send(SOMEBODY, [{"n": number}])
        browsers.send(OTHER, [{"n": -1}, {"n": -2}])
        browsers.flush()

    numbers = [{"n": number} for number in range(BATCH_EVENTS + 20)]
    somebody = (SOMEBODY.device.user_agent, SOMEBODY.place.address)
    other = (OTHER.device.user_agent, OTHER.place.address)
    assert sorted(server.taken, key=lambda taken: len(taken[2])) == [
        (*other, [{"n": -1}, {"n": -2}]),
        (*somebody, numbers[BATCH_EVENTS:]),
        (*somebody, numbers[:BATCH_EVENTS]),
    ]


@pytest.mark.parametrize("status", [429, 503])
def test_a_server_with_too_much_to_do_is_asked_again(status: int) -> None:
    server = Answering(*[(status, {"retry-after": "0"}, {})] * 3)
    with browsing(server) as browsers:
        browsers.send(SOMEBODY, [{"n": 1}])
        browsers.flush()

    assert [events for *_, events in server.taken] == [[{"n": 1}]]


@pytest.mark.parametrize(
    ("status", "answer"),
    [(400, {"error": "unknown_project"}), (200, {"accepted": 0})],
)
def test_events_that_are_not_taken_end_the_demo(
    status: int, answer: dict[str, object]
) -> None:
    with browsing(Answering((status, {}, answer))) as browsers:
        browsers.send(SOMEBODY, [{"n": 1}])

        with pytest.raises(RuntimeError, match=f"/e/batch answered {status}: "):
            browsers.flush()
