from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import settings
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
