from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import settings
from tests.recorder import Reply
from tests.rig import NewThreads, Rig, Start, delivery_threads
from tests.sink import Sink

from clamp_analytics import Clamp
from clamp_analytics._client import _reset_for_tests

# No test here depends on how fast this machine is just now.
settings.register_profile("clamp", deadline=None)
settings.load_profile("clamp")


@pytest.fixture(autouse=True)
def clean_slate(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No default client and no variables of the developer's own."""
    for name in ("PROJECT_ID", "API_KEY", "ENDPOINT", "DISABLED"):
        monkeypatch.delenv(f"CLAMP_{name}", raising=False)
    yield
    _reset_for_tests()


@pytest.fixture
def sink() -> Iterator[Sink]:
    with Sink() as running:
        yield running


@pytest.fixture
def clamp(sink: Sink) -> Iterator[Clamp]:
    with Clamp("proj_test", "sk_proj_secret", sink.endpoint) as client:
        yield client


@pytest.fixture
def start() -> Iterator[Start]:
    """Start deliveries that end with the test."""
    rigs = []

    def start_one(*replies: Reply, **options: Any) -> Rig:
        rigs.append(Rig(*replies, **options))
        return rigs[-1]

    yield start_one
    for rig in rigs:
        rig.transport.may_reply.set()
        rig.delivery.close(0)


@pytest.fixture
def new_threads() -> NewThreads:
    """Ask which threads of delivery were started since the test began."""
    before = delivery_threads()
    return lambda: delivery_threads() - before
