"""Sentry's events are messages and errors.

Its logs go in batches and cost less, but it drops those over 1,000 that wait.
"""

import event
import sentry_sdk


def setup(endpoint: str) -> None:
    dsn = endpoint.replace("://", "://bench@") + "/1"
    sentry_sdk.init(dsn, transport_queue_size=event.QUEUE_EVENTS)


def call() -> None:
    sentry_sdk.capture_message(event.NAME, extras=event.PROPERTIES)


def finish() -> None:
    sentry_sdk.flush(timeout=600)
