from __future__ import annotations

import threading

from tests.threadless import no_new_threads

from clamp_analytics._fan import for_each


def test_results_come_in_the_order_of_the_items() -> None:
    later = threading.Event()

    def call(item: int) -> int:
        # The first is done last.
        if item == 0:
            assert later.wait(timeout=30)
        elif item == 7:
            later.set()
        return item * 10

    assert for_each(call, range(8), 3) == [0, 10, 20, 30, 40, 50, 60, 70]


def test_so_many_threads_work_at_once_the_calling_one_included() -> None:
    all_there = threading.Barrier(4)
    names = set()

    def call(item: int) -> None:
        all_there.wait(timeout=30)
        names.add(threading.current_thread().name)

    for_each(call, range(4), 4)

    assert names >= {threading.current_thread().name}
    assert [t for t in threading.enumerate() if t.name == "clamp-connection"] == []


def test_few_items_take_few_threads() -> None:
    workers = set()
    for_each(lambda _: workers.add(threading.current_thread()), [1], 32)

    assert workers == {threading.current_thread()}
    assert for_each(str, [], 32) == []


def test_where_no_thread_can_be_started_the_calling_one_does_it_all() -> None:
    with no_new_threads():
        results = for_each(lambda item: item * 10, [1, 2, 3], 3)

    assert results == [10, 20, 30]
