"""Frameworks are here on some Pythons of the matrix only; see its script."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from importlib.util import find_spec

import pytest
from tests.integrations.redis_server import running_redis
from tests.integrations.workers import Place
from tests.sink import Sink

import clamp_analytics
from clamp_analytics import ClampNotInitializedError
from clamp_analytics.integrations import _guard, _start

FRAMEWORKS = ("django", "fastapi", "flask")
# They come with the client of Redis, which they need here.
QUEUES = ("celery", "dramatiq", "rq")
collect_ignore_glob = [
    f"test_{name}*.py"
    for name in (*FRAMEWORKS, *QUEUES)
    if find_spec(name) is None or (name in QUEUES and find_spec("redis") is None)
]


@pytest.fixture
def new_process(monkeypatch: pytest.MonkeyPatch, sink: Sink) -> Iterator[None]:
    """What an integration remembers of its process is as at the beginning."""
    monkeypatch.setattr(_start, "_started", None)
    monkeypatch.setattr(_start, "_failure", None)
    monkeypatch.setattr(_guard, "_guard", _guard.Guard())
    yield
    # The sink is still there: this fixture asked for it.
    with suppress(ClampNotInitializedError):
        clamp_analytics.flush()


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_redis(tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture
def place(redis_url: str, sink: Sink) -> Place:
    """An empty Redis, and a sink."""
    place = Place(redis_url, sink.endpoint)
    place.empty()
    return place
