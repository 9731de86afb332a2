"""Dramatiq: messages know the visitor of who sent them, and failures are told.

    broker = RedisBroker()
    broker.add_middleware(ClampMiddleware(project_id=..., api_key=...))
    dramatiq.set_broker(broker)

Both ends use the same broker: what sends a message writes the visitor and the user
of its `context()` into the message's options, and the worker opens a context with
them around the actor. A message that fails is captured when it is not tried again,
with `error.handled` false. The exceptions in an actor's `throws` are expected, and
left alone.

`track = track_actor(broker)` makes an actor, and `track.send("signup")` sends an
event from a worker.
"""

from __future__ import annotations

import threading
from datetime import datetime
from typing import Any

import clamp_analytics
from clamp_analytics import Clamp, ClampError
from clamp_analytics.integrations import _loggers
from clamp_analytics.integrations._captured import capture
from clamp_analytics.integrations._carried import CARRIED, carried, unpacked_context
from clamp_analytics.integrations._guard import needs
from clamp_analytics.integrations._offload import (
    PackedProperties,
    can_pass,
    packed,
    unpacked,
)
from clamp_analytics.integrations._start import start

with needs("dramatiq"):
    import dramatiq
    from dramatiq.middleware import Retries

MAX_RETRIES = 10


class ClampMiddleware(dramatiq.Middleware):
    """Takes the visitor along with a message, and captures what fails it.

    Args:
        client: Sends the errors; None is the client of `init()`.
        capture_errors: Capture the exceptions that fail a message.
        options: As for `init()`, which is called unless there is a client.
    """

    def __init__(
        self,
        *,
        client: Clamp | None = None,
        capture_errors: bool = True,
        **options: Any,
    ) -> None:
        if client is None:
            start(options)
        self._client = client
        self._is_capturing = capture_errors
        # A worker's thread runs one message at a time, from its start to its end.
        self._here = threading.local()
        # It tells of every attempt before anybody knows if that was the last.
        _loggers.leave_out("dramatiq.worker.WorkerThread")

    def before_enqueue(self, broker: Any, message: Any, delay: Any) -> None:
        """Write the identity of the context here, once: not at a retry."""
        ids = carried()
        if ids:
            message.options.setdefault(CARRIED, ids)

    def before_process_message(self, broker: Any, message: Any) -> None:
        """Open the message's context."""
        opened = unpacked_context(message.options.get(CARRIED))
        opened.__enter__()
        self._here.opened = opened

    def after_process_message(
        self,
        broker: Any,
        message: Any,
        *,
        result: Any = None,
        exception: BaseException | None = None,
    ) -> None:
        """Close it, and keep the exception until it is known to be the last."""
        self._close()
        self._here.failure = exception
        # Nobody else ever rejects a message.
        if not any(isinstance(one, Retries) for one in broker.middleware):
            self.before_nack(broker, message)

    def after_skip_message(self, broker: Any, message: Any) -> None:
        """Close the context of a message that a middleware skipped."""
        self._close()

    def before_nack(self, broker: Any, message: Any) -> None:
        """Capture what failed a message for good."""
        error = getattr(self._here, "failure", None)
        self._here.failure = None
        if (
            error is None
            or not self._is_capturing
            or _is_expected(error, message, broker)
        ):
            return
        told = {
            "task": message.actor_name,
            "task.id": message.message_id,
            "task.attempts": message.options.get("retries", 1),
        }
        with unpacked_context(message.options.get(CARRIED)):
            capture(error, told, self._client, handled=False)

    def _close(self) -> None:
        # None was opened where a middleware before this one skipped the message.
        opened, self._here.opened = getattr(self._here, "opened", None), None
        if opened is not None:
            opened.__exit__(None, None, None)


def _is_expected(error: BaseException, message: Any, broker: Any) -> bool:
    actor = broker.get_actor(message.actor_name)
    throws = message.options.get("throws") or actor.options.get("throws")
    return bool(throws) and isinstance(error, throws)


# An old one takes no type arguments when it runs.
class _TrackActor(dramatiq.Actor):  # type: ignore[type-arg]
    def message_with_options(
        self, *, args: Any = (), kwargs: Any = None, **options: Any
    ) -> Any:
        call = packed(*args, **(kwargs or {}))
        return super().message_with_options(kwargs=call, **options)


def track_actor(broker: dramatiq.Broker | None = None, **options: Any) -> Any:
    """Declare the actor that sends an event, in the worker, with the client there.

    Call it where actors are declared. The event is that of who calls `send()`:
    their moment and their context. Wrong arguments raise there. The worker tries
    again when the server does not answer.

    Args:
        broker: None is Dramatiq's default broker.
        options: Of the actor, like `queue_name`.
    """
    broker = broker or dramatiq.get_broker()
    if "retry_when" in broker.actor_options:
        options.setdefault("retry_when", _is_worth_a_retry)
    declare = dramatiq.actor(
        actor_class=_TrackActor,
        actor_name="clamp_analytics.track",
        broker=broker,
        **options,
    )
    return declare(_track)


def _is_worth_a_retry(retries: int, error: BaseException) -> bool:
    return retries < MAX_RETRIES and isinstance(error, ClampError) and can_pass(error)


def _track(
    name: str,
    properties: PackedProperties | None = None,
    anonymous_id: str | None = None,
    timestamp: datetime | str | None = None,
    *,
    user_id: str | None = None,
) -> None:
    clamp_analytics.track(
        name, unpacked(properties), anonymous_id, timestamp, user_id=user_id
    )
