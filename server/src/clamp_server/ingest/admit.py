"""Whether events may come in: whose they are, where from, and how many."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from clamp_server.errors import ForbiddenError, RateLimitedError
from clamp_server.ingest.drop_reason import DropReason, shown
from clamp_server.model.ids import ProjectId
from clamp_server.model.project import Project

_WRONG_PROJECT: DropReason = "wrong_project"
_ORIGIN_NOT_ALLOWED: DropReason = "origin_not_allowed"


def check_owner(project: Project, project_id: ProjectId) -> None:
    """Check that events meant for `project_id` came with that project's key.

    Raises:
        ForbiddenError: The key belongs to another project.
    """
    if project.id != project_id:
        raise ForbiddenError(
            f"p: got {shown(project_id)}; this key belongs to another project",
            code=_WRONG_PROJECT,
        )


def check_origin(project: Project, origin: str | None) -> None:
    """Check that a browser on this page may send to the project.

    Args:
        origin: The header; None where the client sent none. A project with a
            list of origins refuses that too, because every browser sends it.

    Raises:
        ForbiddenError: The project has a list, and the origin is not on it.
    """
    if project.allowed_origins and (
        origin is None or origin.lower() not in project.allowed_origins
    ):
        got = "none" if origin is None else shown(origin)
        raise ForbiddenError(
            f"origin: got {got}; this project takes events from the origins on its"
            " list only",
            code=_ORIGIN_NOT_ALLOWED,
        )


class RateLimiter:
    """A token bucket a project: its rate a second, and a burst of one second.

    Args:
        monotonic_s: Seconds of a clock that nobody sets, so that a jump of the
            wall clock neither opens the gate nor shuts it.
    """

    def __init__(self, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self._monotonic_s = monotonic_s
        # Events that may come in at an instant; only known projects get here.
        self._buckets: dict[ProjectId, tuple[float, float]] = {}

    def take(self, project: Project, events: int) -> None:
        """Count `events` of one request against the project's limit, or none.

        A batch larger than the burst passes when the bucket is full, and what it
        took beyond that is waited for afterwards: otherwise it never would.

        Raises:
            RateLimitedError: Over the limit; nothing was counted.
        """
        rate = project.rate_limit_per_s
        if rate is None:
            return
        now_s = self._monotonic_s()
        left, at_s = self._buckets.get(project.id, (float(rate), now_s))
        left = min(float(rate), left + (now_s - at_s) * rate)
        needed = min(events, rate)
        if left < needed:
            raise RateLimitedError(
                f"this project takes {rate} events a second; send the same again"
                " after the time in Retry-After",
                retry_after_s=math.ceil((needed - left) / rate),
            )
        self._buckets[project.id] = (left - events, now_s)

    def give_back(self, project: Project, events: int) -> None:
        """Take back what `take` counted, for events that were not stored after all."""
        if project.id in self._buckets:
            left, at_s = self._buckets[project.id]
            self._buckets[project.id] = (left + events, at_s)
