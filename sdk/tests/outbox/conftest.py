from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.outbox.numbered import Clock, Dropped, OpenOutbox

from clamp_analytics._outbox import Outbox


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "outbox"


@pytest.fixture
def dropped() -> Dropped:
    return Dropped()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def open_outbox(path: Path, dropped: Dropped, clock: Clock) -> Iterator[OpenOutbox]:
    """Open one after the other as processes would: closed, they leave what waits."""
    opened: list[Outbox] = []

    def open_one(project_id: str = "proj_test", max_bytes: int = 2**28) -> Outbox:
        outbox = Outbox(path, project_id, max_bytes, dropped, clock)
        opened.append(outbox)
        return outbox

    yield open_one
    for outbox in opened:
        outbox.close()
