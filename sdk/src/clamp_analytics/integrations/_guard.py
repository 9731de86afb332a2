"""Nothing of Clamp ever reaches the host application.

Its log gets one line a minute at most: what goes wrong once goes wrong at every
request.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from types import TracebackType
from typing import cast

import clamp_analytics

LOGGER = "clamp_analytics"
SECONDS_A_LINE = 60.0


class Guard:
    """Around calls of ours in somebody else's application: `with guard: ...`.

    Every exception of the block ends here, with a warning. `SystemExit` and the
    like, which are no `Exception`, pass.

    Args:
        clock_s: Seconds that only ever grow.
    """

    def __init__(self, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._clock_s = clock_s
        self._lock = Lock()
        self._due_s = float("-inf")

    def warn(self, message: str, *values: object) -> None:
        """Log a warning, unless there was one within the last minute."""
        with self._lock:
            now_s = self._clock_s()
            if now_s < self._due_s:
                return
            self._due_s = now_s + SECONDS_A_LINE
        logging.getLogger(LOGGER).warning(message, *values)

    def __enter__(self) -> Guard:
        return self

    # The border to the host application. Whatever goes wrong inside, our own mistake
    # or its callable's, its request or task ends as it would without us.
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        if not isinstance(error, Exception):
            return False
        self.warn("%s: %s", type(error).__name__, error)
        return True


# One for all integrations of a process, and so one line for all of them.
_guard = Guard()


def guarded() -> Guard:
    """The guard of this process."""
    return _guard


@contextmanager
def needs(extra: str) -> Iterator[None]:
    """Around the import of a framework: says which extra installs it.

    Raises:
        ImportError: If the framework is not there, the first cause kept.
    """
    try:
        yield
    except ImportError as error:
        raise ImportError(
            f"{error}; this integration needs it:"
            f' pip install "clamp-analytics[{extra}]"'
        ) from error


def sender(client: clamp_analytics.Clamp | None) -> clamp_analytics.Clamp:
    """What sends events: `client`, or else whatever `init()` has set by then."""
    # The package itself has the calls of a `Clamp`, and asks at each of them which
    # client is the default.
    return client or cast(clamp_analytics.Clamp, clamp_analytics)
