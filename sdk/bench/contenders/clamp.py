import event

import clamp_analytics


def setup(endpoint: str) -> None:
    clamp_analytics.init("proj_bench", "sk_proj_bench", endpoint, background=True)


def call() -> None:
    clamp_analytics.track(event.NAME, event.PROPERTIES, event.VISITOR)


def finish() -> None:
    assert clamp_analytics.flush(timeout=600)
