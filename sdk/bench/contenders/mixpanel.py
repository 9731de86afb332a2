"""Mixpanel with its buffer: every 50th call sends, and waits for the answer."""

import event
from mixpanel import BufferedConsumer, Mixpanel

consumer: BufferedConsumer
client: Mixpanel


def setup(endpoint: str) -> None:
    global client, consumer
    consumer = BufferedConsumer(events_url=f"{endpoint}/track")
    client = Mixpanel("bench", consumer=consumer)


def call() -> None:
    client.track(event.VISITOR, event.NAME, event.PROPERTIES)


def finish() -> None:
    consumer.flush()
