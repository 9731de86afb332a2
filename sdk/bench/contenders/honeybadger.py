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
    # 1.3.0 now and then counts its queue while its thread changes it, and raises:
    # "deque mutated during iteration". That event is lost, which the totals show.
    try:  # noqa: SIM105 - suppress() would add to what is measured
        honeybadger.event(event.NAME, event.PROPERTIES)
    except RuntimeError:
        pass


def finish() -> None:
    # It has no flush; this one ends its thread as well.
    honeybadger.shutdown()
