import event
from posthog import Posthog

client: Posthog


def setup(endpoint: str) -> None:
    global client
    client = Posthog("phc_bench", host=endpoint, max_queue_size=event.QUEUE_EVENTS)


def call() -> None:
    client.capture(event.NAME, distinct_id=event.VISITOR, properties=event.PROPERTIES)


def finish() -> None:
    client.flush(timeout_seconds=None)
