import event
from segment.analytics import Client

client: Client


def setup(endpoint: str) -> None:
    global client
    client = Client("bench", host=endpoint, max_queue_size=event.QUEUE_EVENTS)


def call() -> None:
    client.track(event.VISITOR, event.NAME, event.PROPERTIES)


def finish() -> None:
    client.flush()
