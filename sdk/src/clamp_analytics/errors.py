"""Every error this package raises on purpose, as one tree.

    ClampError
    ├── ClampNotInitializedError   a call before init()
    ├── ClampConnectionError       no answer: connection, TLS, timeout
    ├── ClampHTTPError             an answer, and it was not 2xx
    └── QueueFullError             background delivery has no room for an event

A wrong argument is a `ValueError`, raised before anything is sent.
"""

from __future__ import annotations

# An error page can be megabytes long; a log line should not be.
MAX_SHOWN_CHARS = 2048


class ClampError(Exception):
    """Anything this package raises on purpose, wrong arguments aside."""


class ClampNotInitializedError(ClampError):
    """A module-level call came before `init()`."""


class ClampConnectionError(ClampError):
    """The server could not be reached, or its answer never came.

    What went wrong underneath is the `__cause__`. The event may have been
    counted: an answer that is lost after the request was sent looks like this.
    """


class ClampHTTPError(ClampError):
    """The server answered, and the answer was not 2xx.

    Attributes:
        status_code: HTTP status of the answer.
        body: The answer's text, whole.
    """

    def __init__(self, status_code: int, body: str) -> None:
        super().__init__(f"the server answered {status_code}: {body[:MAX_SHOWN_CHARS]}")
        self.status_code = status_code
        self.body = body

    def __reduce__(self) -> tuple[type[ClampHTTPError], tuple[int, str]]:
        # Without this, unpickling calls the class with the message alone, and a
        # worker pool that passes the error on dies of a TypeError.
        return type(self), (self.status_code, self.body)


class QueueFullError(ClampError):
    """Background delivery could not take an event.

    Attributes:
        reason: What was full: "queue_full", "outbox_full", or
            "outbox_unwritable".
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason

    def __reduce__(self) -> tuple[type[QueueFullError], tuple[str, str]]:
        # As in ClampHTTPError.
        return type(self), (self.reason, str(self))
