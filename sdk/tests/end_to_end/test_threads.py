from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from tests.sink import Sink

from clamp_analytics import Clamp, init, track

THREADS = 8


def test_threads_share_a_client_and_lose_nothing(sink: Sink) -> None:
    init("proj_test", "sk_proj_test", sink.endpoint, timeout_s=30)
    with ThreadPoolExecutor(THREADS) as threads:
        answers = list(threads.map(lambda n: track(f"event_{n}"), range(400)))

    assert answers == [True] * 400
    assert sorted(body["name"] for body in sink.bodies) == sorted(
        f"event_{n}" for n in range(400)
    )
    assert sink.connections <= THREADS


def test_as_many_calls_at_once_as_there_are_threads(sink: Sink) -> None:
    # 0.2.0 had a connection for each call; a pool with a limit would time out.
    sink.may_answer.clear()
    with Clamp("proj_test", "sk_proj_test", sink.endpoint, timeout_s=30) as clamp:
        calls = [threading.Thread(target=clamp.track, args=("x",)) for _ in range(120)]
        for call in calls:
            call.start()
        poll = threading.Event()
        while len(sink.requests) < 120:
            poll.wait(0.01)
            assert all(call.is_alive() for call in calls)
        sink.may_answer.set()
        for call in calls:
            call.join(timeout=30)

    assert (len(sink.requests), sink.connections) == (120, 120)


def test_init_again_and_again_breaks_no_call_of_another_thread(sink: Sink) -> None:
    init("proj_test", "sk_proj_test", sink.endpoint, timeout_s=30)
    is_over = threading.Event()

    def replace() -> None:
        while not is_over.is_set():
            init("proj_test", "sk_proj_test", sink.endpoint, timeout_s=30)

    replacing = threading.Thread(target=replace)
    replacing.start()
    try:
        with ThreadPoolExecutor(4) as threads:
            answers = list(threads.map(lambda n: track(f"event_{n}"), range(40)))
    finally:
        is_over.set()
        replacing.join(timeout=30)

    assert answers == [True] * 40
    assert len(sink.requests) == 40
