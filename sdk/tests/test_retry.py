from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clamp_analytics._exchange import Answer
from clamp_analytics._retry import Step, back_off_s, next_step, ordered_wait_s
from clamp_analytics.errors import ClampConnectionError

NO_ANSWER = ClampConnectionError("no answer")
# Tue, 10 Mar 2026 12:00:00 GMT
NOON_S = 1_773_144_000.0


def steps(reply: Answer | ClampConnectionError) -> tuple[Step, Step, Step]:
    """For a batch of two, a batch of one, and an event that went alone."""
    return (
        next_step(reply, is_batch=True, events=2),
        next_step(reply, is_batch=True, events=1),
        next_step(reply, is_batch=False, events=1),
    )


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_2xx_is_done(status: int) -> None:
    assert steps(Answer(status, "")) == ("done", "done", "done")


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 529, 599])
def test_what_may_work_later_is_sent_again(status: int) -> None:
    assert steps(Answer(status, "")) == ("again", "again", "again")


def test_no_answer_is_sent_again() -> None:
    assert steps(NO_ANSWER) == ("again", "again", "again")


@pytest.mark.parametrize("status", [404, 405])
def test_a_server_without_batches_gets_one_event_a_request(status: int) -> None:
    assert steps(Answer(status, "")) == ("one_by_one", "one_by_one", "refused")


def test_a_batch_that_is_too_large_becomes_two_while_it_can() -> None:
    assert steps(Answer(413, "")) == ("halves", "refused", "refused")


@pytest.mark.parametrize("status", [100, 199, 301, 304, 400, 401, 403, 410, 422, 499])
def test_anything_else_is_refused_for_good(status: int) -> None:
    assert steps(Answer(status, "")) == ("refused", "refused", "refused")


def test_the_back_off_doubles_from_half_a_second_to_half_a_minute() -> None:
    assert [back_off_s(failures, 1.0) for failures in range(1, 10)] == [
        *(0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0),
    ]


@given(st.integers(1, 10**9), st.floats(0.0, 1.0))
def test_the_back_off_is_anything_up_to_its_bound(failures: int, share: float) -> None:
    bound_s = back_off_s(failures, 1.0)

    assert back_off_s(failures, share) == share * bound_s
    assert 0.5 <= bound_s <= 30.0


@pytest.mark.parametrize(
    ("text", "wait_s"),
    [
        ("2", 2.0),
        (" 120 ", 120.0),
        ("0", 0.0),
        ("1.5", 1.5),
        ("3600", 3600.0),
        ("3601", 3600.0),
        ("9" * 5000, 3600.0),
        ("Tue, 10 Mar 2026 12:00:30 GMT", 30.0),
        ("Tue, 10 Mar 2026 13:00:30 +0100", 30.0),
        ("Tue, 10 Mar 2026 11:59:00 GMT", 0.0),
        ("Sun, 10 Mar 2115 12:00:00 GMT", 3600.0),
    ],
    ids=lambda value: str(value)[:40],
)
def test_the_server_orders_seconds_or_a_date(text: str, wait_s: float) -> None:
    assert ordered_wait_s(Answer(429, "", text), NOON_S) == wait_s


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "soon", "-5", "1e3", "1.2.3", ".", "nan", "inf", "\u0665"),
        "Tue, 10 Mar 99999 12:00:00 GMT",
        "Tue, 32 Mar 2026 12:00:00 GMT",
        "Tue, 10 Mar 2026 12:00:00 +99999999999999",
    ],
    ids=repr,
)
def test_nonsense_orders_nothing(text: str) -> None:
    assert ordered_wait_s(Answer(503, "", text), NOON_S) == 0.0


@pytest.mark.parametrize("reply", [Answer(503, ""), NO_ANSWER], ids=["bare", "silent"])
def test_who_says_nothing_orders_nothing(reply: Answer | ClampConnectionError) -> None:
    assert ordered_wait_s(reply, NOON_S) == 0.0


PARTS = st.lists(
    st.sampled_from(
        [
            *("Tue,", "10", "Mar", "2026", "0", "1", "99999", "12:00:00", "::", "-"),
            *("GMT", "-0000", "+0100", "+9999999", "Jan", ",", "12.00", "x"),
        ]
    )
)


@given(st.text() | PARTS.map(" ".join))
def test_any_order_is_between_nothing_and_an_hour(text: str) -> None:
    assert 0.0 <= ordered_wait_s(Answer(429, "", text), NOON_S) <= 3600.0
