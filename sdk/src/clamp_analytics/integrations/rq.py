"""RQ: jobs know the visitor of who enqueued them, and their failures are told.

    queue = Queue(connection=redis, job_class=ClampJob)
    rq worker --job-class clamp_analytics.integrations.rq.ClampJob

Both ends use the class: what enqueues writes the visitor and the user of its
`context()` into the job's `meta`, and the worker opens a context with them around
the job. A job that fails is captured when it is not tried again, with
`error.handled` false.

`queue.enqueue(track, "signup", {"plan": "pro"})` sends an event from a worker.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import clamp_analytics
from clamp_analytics.integrations._captured import capture, is_new
from clamp_analytics.integrations._carried import CARRIED, carried, unpacked_context
from clamp_analytics.integrations._guard import guarded, needs
from clamp_analytics.integrations._offload import PackedProperties, packed, unpacked
from clamp_analytics.integrations._start import start

with needs("rq"):
    from rq.job import Job

# What a job may wait for its events, in seconds, before its process is gone.
FLUSH_S = 2.0


class ClampJob(Job):
    """A job that takes the visitor along, and captures what fails it.

    Attributes:
        capture_errors: A subclass may say False.
    """

    capture_errors = True

    @classmethod
    def create(
        cls, func: Any, args: Any = None, kwargs: Any = None, *rest: Any, **options: Any
    ) -> Any:
        """Make a job, with the visitor and the user of the context here.

        Raises:
            ValueError: If it is a `track` whose arguments cannot be sent.
        """
        if func is track:
            args, kwargs = (), packed(*(args or ()), **(kwargs or {}))
        job = super().create(func, args, kwargs, *rest, **options)
        ids = carried()
        if ids:
            # A dict of its own: the caller may use theirs for another job.
            job.meta = {CARRIED: ids, **job.meta}
        return job

    def perform(self) -> Any:
        """Run the job in its context."""
        with unpacked_context(self.meta.get(CARRIED)):
            try:
                # What the job's module says to `init()` goes first: it is loaded
                # here, in the process that is to run it.
                _ = self.func
                start({})
                return super().perform()
            except Exception as error:
                self._tell(error)
                raise
            finally:
                # RQ ends the process that ran a job without the interpreter's own
                # exit, and starts another for the next.
                with guarded():
                    clamp_analytics.flush(FLUSH_S)

    def _tell(self, error: Exception) -> None:
        if self.retries_left:
            # RQ's log is about to tell of it, and it is not final.
            is_new(error)
            return
        if self.capture_errors:
            told = {"task": self.func_name or "", "task.id": self.id}
            capture(error, told, handled=False)


def track(
    name: str,
    properties: PackedProperties | None = None,
    anonymous_id: str | None = None,
    timestamp: datetime | str | None = None,
    *,
    user_id: str | None = None,
) -> bool:
    """Send an event, in the worker, with the client of `init()` there.

    It is the event of who enqueues it: their moment and their context. Wrong
    arguments raise there. `enqueue(..., retry=Retry(max=5, interval=60))` tries
    again when the server does not answer.

    Args:
        name: As in `clamp_analytics.track()`, and so are all the others.
    """
    return clamp_analytics.track(
        name, unpacked(properties), anonymous_id, timestamp, user_id=user_id
    )
