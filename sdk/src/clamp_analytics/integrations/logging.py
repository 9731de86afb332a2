"""A handler for the standard library's `logging`.

    import logging
    from clamp_analytics.integrations.logging import ClampHandler

    logging.getLogger().addHandler(ClampHandler())

A record with an exception becomes a `$error` event, unless another integration has
captured that exception. A record without one is left alone, or becomes an event of
the name that `event` gives. The logger's name goes with it, the level, and the
message as it is before its arguments are filled in: those say whom it is about.
"""

from __future__ import annotations

import logging
import threading
from typing import Any

from clamp_analytics import Clamp
from clamp_analytics.integrations import _loggers
from clamp_analytics.integrations._captured import capture
from clamp_analytics.integrations._guard import guarded, sender
from clamp_analytics.integrations._start import start

# What the server takes of a property's text.
MAX_MESSAGE_CHARS = 512


class ClampHandler(logging.Handler):
    """Sends log records to Clamp.

    Never sent is what Clamp's own loggers and those of its HTTP client write, and
    what is logged while an event is being sent.

    Args:
        level: The least level of a record that is sent.
        event: The name of the event that a record without an exception becomes;
            None leaves those alone.
        client: Sends them; None is the client of `init()`.
        options: As for `init()`, which is called with the first record unless
            there is a client by then.
    """

    def __init__(
        self,
        level: int | str = logging.ERROR,
        *,
        event: str | None = None,
        client: Clamp | None = None,
        **options: Any,
    ) -> None:
        super().__init__(level)
        self._event = event
        self._client = client
        self._options = options
        self._is_started = client is not None
        self._here = threading.local()

    def emit(self, record: logging.LogRecord) -> None:
        """Send `record`; never raises."""
        if _is_ours(record) or getattr(self._here, "is_busy", False):
            return
        self._here.is_busy = True
        try:
            with guarded():
                self._send(record)
        finally:
            self._here.is_busy = False

    def _send(self, record: logging.LogRecord) -> None:
        # Not when it is made: that is often before the application's `init()`.
        if not self._is_started:
            start(self._options)
            self._is_started = True
        properties = {
            "log.logger": record.name,
            "log.level": record.levelname,
            "log.message": str(record.msg)[:MAX_MESSAGE_CHARS],
        }
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            capture(error, properties, self._client, handled=True)
        elif self._event is not None:
            sender(self._client).track(self._event, properties)


def _is_ours(record: logging.LogRecord) -> bool:
    # `on_error` is called on the threads that deliver. What an application logs
    # there, of events that cannot be sent, could not be sent either, and would be
    # told of again.
    is_delivery = (record.threadName or "").startswith("clamp-")
    return is_delivery or _loggers.is_left_out(record.name)
