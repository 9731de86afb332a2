"""Captures what nothing caught: in the program, in its threads, in asyncio.

    from clamp_analytics.integrations import excepthook

    excepthook.install()

The hook that was there before still runs, afterwards. To install it again changes
no hook.
"""

from __future__ import annotations

import sys
import threading
from types import TracebackType
from typing import TYPE_CHECKING, Any

from clamp_analytics import Clamp
from clamp_analytics.integrations._captured import capture
from clamp_analytics.integrations._start import start

if TYPE_CHECKING:
    import asyncio


def install(
    *,
    loop: asyncio.AbstractEventLoop | None = None,
    client: Clamp | None = None,
    **options: Any,
) -> None:
    """Capture the unhandled exceptions of this process, with `error.handled` false.

    Args:
        loop: Also capture what this event loop has nobody to tell of: exceptions of
            callbacks, and of tasks that nobody awaits.
        client: Sends them; None is the client of `init()`.
        options: As for `init()`, which is called unless there is a client.
    """
    if client is None:
        start(options)
    if not _is_ours(sys.excepthook):
        sys.excepthook = _ProgramHook(client).call
    if not _is_ours(threading.excepthook):
        threading.excepthook = _ThreadHook(client).call
    if loop is not None and not _is_ours(loop.get_exception_handler()):
        loop.set_exception_handler(_LoopHook(loop, client).call)


class _ProgramHook:
    def __init__(self, client: Clamp | None) -> None:
        self._client = client
        self._before = sys.excepthook

    def call(
        self,
        kind: type[BaseException],
        error: BaseException,
        trace: TracebackType | None,
    ) -> None:
        _capture(error, self._client)
        self._before(kind, error, trace)


class _ThreadHook:
    def __init__(self, client: Clamp | None) -> None:
        self._client = client
        self._before = threading.excepthook

    def call(self, told: threading.ExceptHookArgs) -> None:
        _capture(told.exc_value, self._client)
        self._before(told)


class _LoopHook:
    def __init__(self, loop: asyncio.AbstractEventLoop, client: Clamp | None) -> None:
        self._client = client
        self._before = loop.get_exception_handler()

    def call(self, loop: asyncio.AbstractEventLoop, told: dict[str, Any]) -> None:
        _capture(told.get("exception"), self._client)
        if self._before is None:
            loop.default_exception_handler(told)
        else:
            self._before(loop, told)


def _is_ours(hook: object) -> bool:
    owner = getattr(hook, "__self__", None)
    return isinstance(owner, (_ProgramHook, _ThreadHook, _LoopHook))


def _capture(error: BaseException | None, client: Clamp | None) -> None:
    # The others, as of Ctrl+C and `sys.exit()`, are how a program ends.
    if isinstance(error, Exception):
        capture(error, {}, client, handled=False)
