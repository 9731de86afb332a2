"""The same call for many items at once, on threads that live no longer than that."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from threading import Thread
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def for_each(
    call: Callable[[Item], Result], items: Sequence[Item], max_threads: int
) -> list[Result]:
    """Call for every item and return the results in the items' order.

    The calling thread works as well, and alone where no other can be started, as
    at the end of the interpreter.

    Args:
        call: Must not raise.
        max_threads: At once, the calling one included.
    """
    results: dict[int, Result] = {}
    # Popping is atomic, and a thread that finds nothing is done.
    left = deque(enumerate(items))

    def work() -> None:
        while True:
            try:
                index, item = left.popleft()
            except IndexError:
                return
            results[index] = call(item)

    threads = [
        Thread(target=work, name="clamp-connection", daemon=True)
        for _ in range(min(max_threads, len(items)) - 1)
    ]
    started = [thread for thread in threads if _is_started(thread)]
    work()
    for thread in started:
        thread.join()
    return [results[index] for index in range(len(items))]


def _is_started(thread: Thread) -> bool:
    try:
        thread.start()
    except RuntimeError:
        return False
    return True
