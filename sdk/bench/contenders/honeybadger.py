import event
from honeybadger import honeybadger


def setup(endpoint: str) -> None:
    honeybadger.configure(
        api_key="bench",
        endpoint=endpoint,
        environment="production",
        events_max_queue_size=event.QUEUE_EVENTS,
    )


def call() -> None:
    honeybadger.event(event.NAME, event.PROPERTIES)


def finish() -> None:
    # It has no flush; this one ends its thread as well.
    honeybadger.shutdown()
