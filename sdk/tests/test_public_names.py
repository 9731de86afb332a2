from __future__ import annotations

import importlib.metadata

import clamp_analytics


def test_the_public_names_are_these() -> None:
    assert clamp_analytics.__all__ == [
        "AsyncClamp",
        "BackgroundDelivery",
        "Clamp",
        "ClampConnectionError",
        "ClampError",
        "ClampHTTPError",
        "ClampNotInitializedError",
        "Event",
        "Money",
        "QueueFullError",
        "Stats",
        "__version__",
        "capture_error",
        "close",
        "context",
        "flush",
        "identify",
        "init",
        "revenue",
        "stats",
        "track",
    ]


def test_every_public_name_has_words() -> None:
    for name in set(clamp_analytics.__all__) - {"__version__"}:
        assert getattr(clamp_analytics, name).__doc__, name


def test_the_version_is_that_of_the_distribution() -> None:
    assert clamp_analytics.__version__ == importlib.metadata.version("clamp-analytics")
