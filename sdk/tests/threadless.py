"""A stretch of code in which no thread can be started."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_new_threads() -> Iterator[None]:
    """Ask for more stack than any system has, so that every start fails."""
    usual_bytes = threading.stack_size(1 << 48)
    try:
        yield
    finally:
        threading.stack_size(usual_bytes)
