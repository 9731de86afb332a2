"""Celery: tasks know the visitor of who enqueued them, and their failures are told.

    from clamp_analytics.integrations.celery import install

    app = Celery("shop")
    install(project_id="proj_xxx", api_key="sk_proj_xxx")

Call it where the app is made, so that both ends do: what enqueues writes the
visitor and the user of its `context()` into the message's headers, and the worker
opens a context with them around the task. A task that fails is captured when it is
not tried again, with `error.handled` false. The exceptions in its `throws` are
expected, and left alone.

`track.delay("signup", {"plan": "pro"})` sends an event from a worker.
"""

from __future__ import annotations

import random
from datetime import datetime
from typing import Any

import clamp_analytics
from clamp_analytics import Clamp, ClampError
from clamp_analytics.integrations._captured import capture
from clamp_analytics.integrations._carried import CARRIED, carried, unpacked_context
from clamp_analytics.integrations._guard import guarded, needs, sender
from clamp_analytics.integrations._offload import (
    PackedProperties,
    can_pass,
    packed,
    unpacked,
)
from clamp_analytics.integrations._start import start

with needs("celery"):
    import celery
    from celery import signals

# What a process of the pool may wait for its last events, in seconds.
EXIT_FLUSH_S = 2.0
# After 1 second, 2, 4 and so on: 9 to 17 minutes in all, as chance shortens them.
MAX_RETRIES = 10


def install(
    *, client: Clamp | None = None, capture_errors: bool = True, **options: Any
) -> None:
    """Listen to every Celery app of this process; another call replaces this one.

    Args:
        client: Sends the errors; None is the client of `init()`.
        capture_errors: Capture the exceptions that fail a task.
        options: As for `init()`, which is called unless there is a client.
    """
    if client is None:
        start(options)
    listener = _Listener(client, capture_errors)
    for signal, receiver in (
        (signals.before_task_publish, listener.on_publish),
        (signals.task_prerun, listener.on_start),
        (signals.task_postrun, listener.on_end),
        (signals.task_failure, listener.on_failure),
        (signals.worker_process_shutdown, listener.on_exit),
    ):
        signal.disconnect(dispatch_uid=__name__)
        signal.connect(receiver, weak=False, dispatch_uid=__name__)


class _Listener:
    def __init__(self, client: Clamp | None, capture_errors: bool) -> None:
        self._client = client
        self._is_capturing = capture_errors

    def on_publish(self, headers: Any = None, **_: object) -> None:
        ids = carried()
        if ids and isinstance(headers, dict):
            headers.setdefault(CARRIED, ids)

    def on_start(self, task: Any, **_: object) -> None:
        opened = unpacked_context(getattr(task.request, CARRIED, None))
        opened.__enter__()
        task.request.clamp_opened = opened

    def on_end(self, task: Any, **_: object) -> None:
        opened = getattr(task.request, "clamp_opened", None)
        if opened is not None:
            opened.__exit__(None, None, None)

    def on_failure(self, **told: Any) -> None:
        task, exception = told["sender"], told["exception"]
        is_expected = isinstance(exception, task.throws or ())
        if is_expected or not self._is_capturing:
            return
        context = {
            "task": task.name,
            "task.id": told["task_id"],
            "task.attempts": (task.request.retries or 0) + 1,
        }
        # Of a process that was killed the main one tells, where no context is open.
        with unpacked_context(getattr(task.request, CARRIED, None)):
            capture(exception, context, self._client, handled=False)

    def on_exit(self, **_: object) -> None:
        # The pool leaves its processes without the interpreter's own exit.
        with guarded():
            sender(self._client).flush(EXIT_FLUSH_S)


# Celery has no types.
class _TrackTask(celery.Task):  # type: ignore[misc]
    def apply_async(
        self, args: Any = None, kwargs: Any = None, *rest: Any, **options: Any
    ) -> Any:
        call = packed(*(args or ()), **(kwargs or {}))
        return super().apply_async((), call, *rest, **options)


@celery.shared_task(
    bind=True,
    base=_TrackTask,
    name="clamp_analytics.track",
    max_retries=MAX_RETRIES,
    ignore_result=True,
)
def track(
    self: Any,
    name: str,
    properties: PackedProperties | None = None,
    anonymous_id: str | None = None,
    timestamp: datetime | str | None = None,
    *,
    user_id: str | None = None,
) -> bool:
    """Send an event, in the worker, with the client of `init()` there.

    It is the event of who calls `delay()` or `apply_async()`: their moment and
    their context. Wrong arguments raise there. The worker tries again when the
    server does not answer.

    Args:
        self: The task, which Celery adds.
        name: As in `clamp_analytics.track()`, and so are all the others.
    """
    try:
        return clamp_analytics.track(
            name, unpacked(properties), anonymous_id, timestamp, user_id=user_id
        )
    except ClampError as error:
        if not can_pass(error):
            raise
        wait_s = 2.0**self.request.retries
        # Half of it by chance, so that tasks that failed together spread.
        jitter = 0.5 + random.random() / 2  # noqa: S311  # no secret
        raise self.retry(exc=error, countdown=wait_s * jitter) from error
