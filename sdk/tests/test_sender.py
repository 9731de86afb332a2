from __future__ import annotations

import json
import threading
from collections.abc import Sequence

import pytest
from tests.recorder import OK, Post, Recorder, Reply

from clamp_analytics._exchange import Answer
from clamp_analytics._report import Reporter
from clamp_analytics._sender import MAX_CONNECTIONS, Attempt, Sender
from clamp_analytics._waiting import encode_waiting, new_id
from clamp_analytics._wire import Event
from clamp_analytics.errors import ClampConnectionError, ClampError, ClampHTTPError

AT = "2026-04-29T12:00:00Z"
SILENT = ClampConnectionError("no answer")
Told = list[tuple[str, list[str]]]


def events(*names: str) -> list[bytes]:
    return [encode_waiting(new_id(), Event(name, AT)) for name in names]


class Sent:
    """A sender with all that it is given and tells."""

    def __init__(self, *replies: Reply) -> None:
        self.transport = Recorder(*replies)
        self.told: Told = []
        self.reporter = Reporter(self._tell)
        self.sender = Sender("proj_x", self.transport, self.reporter)
        self.send = self.sender.send

    def _tell(self, error: Exception, lost: Sequence[Event]) -> None:
        self.told.append((str(error), [event.name for event in lost]))

    @property
    def counts(self) -> tuple[int, dict[str, int]]:
        return self.reporter.sent_count, self.reporter.dropped

    @property
    def requests(self) -> list[tuple[str, list[str]]]:
        return [(post.path, post.names) for post in self.transport.posts]


def without_batches(*replies: Reply) -> Sent:
    """A sender that has found out that the server takes no batches."""
    sent = Sent(Answer(404, "no such place"), OK, *(replies or [OK]))
    sent.send(events("first"))
    sent.transport.posts.clear()
    return sent


def test_events_go_as_one_batch() -> None:
    sent = Sent()
    waiting = events("a", "b", "c")

    assert sent.send(waiting) == Attempt()
    assert sent.transport.posts == [
        Post(
            "/e/s/batch",
            b'{"p":"proj_x","events":[%b]}' % b",".join(waiting),
            None,
            False,
        )
    ]
    assert (sent.counts, sent.told) == ((3, {}), [])


def test_a_batch_is_compressed_from_a_kilobyte_on() -> None:
    sent = Sent()
    # 1,023 and 1,024 bytes.
    for length in (911, 912):
        sent.send(events("x" * length))

    assert [(len(p.content), p.compress) for p in sent.transport.posts] == [
        (1_023, False),
        (1_024, True),
    ]


def test_rejected_rows_are_told_one_by_one_and_the_rest_is_sent() -> None:
    rows = [{"index": 2, "message": "too long"}, {"index": 0, "message": "no name"}]
    sent = Sent(Answer(200, json.dumps({"ok": True, "rejected": rows})))

    assert sent.send(events("a", "b", "c")) == Attempt()
    assert sent.told == [
        ("the server refused an event: too long", ["c"]),
        ("the server refused an event: no name", ["a"]),
    ]
    assert sent.counts == (1, {"rejected": 2})


@pytest.mark.parametrize("status", [400, 401, 403, 422, 301])
def test_a_refused_batch_is_told_once_and_gone(status: int) -> None:
    sent = Sent(Answer(status, "why"))

    assert sent.send(events("a", "b")) == Attempt()
    assert sent.told == [(f"the server answered {status}: why", ["a", "b"])]
    assert sent.counts == (0, {f"http_{status}": 2})


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_what_may_work_later_is_left(status: int) -> None:
    sent = Sent(Answer(status, "why", retry_after="7"))
    waiting = events("a", "b")
    attempt = sent.send(waiting)

    assert (attempt.left, attempt.wait_s, attempt.is_heard) == (waiting, 7.0, True)
    assert isinstance(attempt.trouble, ClampHTTPError)
    assert str(attempt.trouble) == f"the server answered {status}: why"
    assert (sent.counts, sent.told) == ((0, {}), [])


def test_without_an_answer_all_is_left_and_nothing_was_heard() -> None:
    sent = Sent(SILENT)
    waiting = events("a", "b")

    assert sent.send(waiting) == Attempt(waiting, 0.0, SILENT, is_heard=False)
    assert (sent.counts, sent.told) == ((0, {}), [])


@pytest.mark.parametrize("status", [404, 405])
def test_a_server_without_batches_is_remembered(status: int) -> None:
    sent = Sent(Answer(status, "no such place"), OK)

    assert sent.send(events("a")) == Attempt()
    assert sent.send(events("b")) == Attempt()
    assert sent.requests == [
        ("/e/s/batch", ["a"]),
        ("/e/s", ["a"]),
        ("/e/s", ["b"]),
    ]
    assert (sent.counts, sent.told) == ((2, {}), [])


def test_a_single_request_has_its_id_in_a_header_and_is_never_compressed() -> None:
    sent = without_batches()
    properties = {"text": "x" * 10_000}
    sent.send([encode_waiting("5" * 32, Event("a", AT, dict(properties)))])

    assert sent.transport.posts == [
        Post(
            "/e/s",
            b'{"p":"proj_x","name":"a","timestamp":"2026-04-29T12:00:00Z",'
            b'"properties":{"text":"%b"}}' % (b"x" * 10_000),
            {"idempotency-key": "5" * 32},
            False,
        )
    ]


def test_a_repeat_has_the_same_id() -> None:
    sent = without_batches(SILENT, OK)
    attempt = sent.send(events("a"))
    sent.send(attempt.left)
    first, second = sent.transport.posts

    assert first == second


def test_single_requests_are_under_way_at_once() -> None:
    all_there = threading.Barrier(MAX_CONNECTIONS)

    def reply(post: Post) -> Answer:
        all_there.wait(timeout=30)
        return OK

    sent = without_batches(reply)
    names = [str(number) for number in range(2 * MAX_CONNECTIONS)]

    assert sent.send(events(*names)) == Attempt()
    assert sorted(name for _, (name,) in sent.requests) == sorted(names)
    assert sent.counts == (1 + len(names), {})


def test_what_a_single_request_comes_to_is_that_events_own() -> None:
    def reply(post: Post) -> Answer:
        (name,) = post.names
        return Answer(400, "bad name") if name == "bad" else OK

    sent = without_batches(reply)

    assert sent.send(events("a", "bad", "b")) == Attempt()
    assert sent.told == [("the server answered 400: bad name", ["bad"])]
    assert sent.counts == (3, {"http_400": 1})


def test_one_that_fails_speaks_for_those_behind_it() -> None:
    names = [str(number) for number in range(10 * MAX_CONNECTIONS)]
    sent = without_batches(SILENT)
    waiting = events(*names)
    attempt = sent.send(waiting)

    assert attempt == Attempt(waiting, 0.0, SILENT, is_heard=False)
    assert 1 <= len(sent.requests) <= MAX_CONNECTIONS


def test_of_single_requests_the_longest_order_counts_and_the_order_stays() -> None:
    both = threading.Barrier(2)

    def reply(post: Post) -> Answer | Exception:
        both.wait(timeout=30)
        (name,) = post.names
        return SILENT if name == "a" else Answer(429, "slow down", retry_after="9")

    sent = without_batches(reply)
    waiting = events("a", "b")

    assert sent.send(waiting) == Attempt(waiting, 9.0, SILENT, is_heard=True)


def test_404_to_a_single_request_is_a_refusal() -> None:
    sent = without_batches(Answer(404, "gone"))

    assert sent.send(events("a")) == Attempt()
    assert sent.counts == (1, {"http_404": 1})


def takes_up_to(count: int) -> Recorder:
    def reply(post: Post) -> Answer:
        return Answer(413, "too large") if len(post.names) > count else OK

    return Recorder(reply)


def test_a_batch_that_is_too_large_goes_in_halves_until_it_fits() -> None:
    sent = Sent()
    sent.sender = Sender("proj_x", takes_up_to(2), sent.reporter)

    assert sent.sender.send(events(*"abcde")) == Attempt()
    assert (sent.counts, sent.told) == ((5, {}), [])


def test_the_halves_keep_the_order() -> None:
    transport = takes_up_to(2)
    Sender("proj_x", transport, Reporter(None)).send(events(*"abcde"))

    assert [post.names for post in transport.posts] == [
        ["a", "b", "c", "d", "e"],
        ["a", "b"],
        ["c", "d", "e"],
        ["c"],
        ["d", "e"],
    ]


def test_an_event_that_is_too_large_by_itself_is_refused() -> None:
    def reply(post: Post) -> Answer:
        return Answer(413, "too large") if "big" in post.names else OK

    sent = Sent(reply)

    assert sent.send(events("a", "big", "b")) == Attempt()
    assert sent.told == [("the server answered 413: too large", ["big"])]
    assert sent.counts == (2, {"http_413": 1})


def test_a_half_that_finds_no_server_is_left() -> None:
    def reply(post: Post) -> Answer | Exception:
        if len(post.names) > 2:
            return Answer(413, "too large")
        return SILENT if "c" in post.names else OK

    sent = Sent(reply)
    waiting = events(*"abcd")

    assert sent.send(waiting) == Attempt(waiting[2:], 0.0, SILENT, is_heard=True)
    assert sent.counts == (2, {})


def test_batches_stay_smaller_after_a_413_but_hold_any_event() -> None:
    sent = Sent(Answer(413, "too large"), OK)
    before = (sent.sender.max_events, sent.sender.max_bytes)
    name = "x" * 10_000
    sent.send(events(*[name] * 20))
    once = sent.sender.max_bytes
    tiny = Sent(Answer(413, "too large"), OK)
    tiny.send(events("a", "b"))

    assert before == (1_000, 1024 * 1024 - 1024)
    assert once == len(sent.transport.posts[0].content) // 2
    assert tiny.sender.max_bytes == 64 * 1024


def test_what_a_transport_of_ones_own_raises_is_not_swallowed() -> None:
    sent = Sent(LookupError("a bug of the transport"))

    with pytest.raises(LookupError, match="a bug of the transport"):
        sent.send(events("a"))


def test_the_reason_of_a_rejection_is_a_clamp_error() -> None:
    errors: list[Exception] = []
    answer = Answer(200, '{"rejected":[{"index":0}]}')
    reporter = Reporter(lambda error, lost: errors.append(error))
    Sender("proj_x", Recorder(answer), reporter).send(events("a"))

    assert [type(error) for error in errors] == [ClampError]
