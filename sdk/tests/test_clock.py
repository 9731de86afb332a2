from __future__ import annotations

import re
import threading
from datetime import datetime, timezone

import pytest

from clamp_analytics._clock import now_text, utc_text


@pytest.mark.parametrize(
    ("digits", "text"),
    [
        ("1773144000123456789", "2026-03-10T12:00:00.123456Z"),
        ("1773144001000000000", "2026-03-10T12:00:01.000000Z"),
        ("1000000000", "1970-01-01T00:00:01.000000Z"),
        ("999999999", "1970-01-01T00:00:00.999999Z"),
        ("0", "1970-01-01T00:00:00.000000Z"),
    ],
)
def test_an_instant_is_written_in_utc_to_the_microsecond(
    digits: str, text: str
) -> None:
    assert utc_text(digits) == text


def test_now_is_utc_to_the_microsecond() -> None:
    before = datetime.now(timezone.utc)  # noqa: TID251  # what is compared with
    texts = [now_text() for _ in range(1_000)]
    after = datetime.now(timezone.utc)  # noqa: TID251

    form = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"
    assert [text for text in texts if not re.fullmatch(form, text)] == []
    times = [datetime.fromisoformat(text.replace("Z", "+00:00")) for text in texts]
    assert [before, *times, after] == sorted([before, *times, after])


def test_threads_never_see_a_second_with_the_fraction_of_another() -> None:
    is_over = threading.Event()
    runs: list[list[str]] = []

    def read() -> None:
        texts = []
        while not is_over.is_set():
            texts.append(now_text())
        runs.append(texts)

    threads = [threading.Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    # Until the second has changed under them.
    first = now_text()[:19]
    while now_text()[:19] == first:
        is_over.wait(0.01)
    is_over.set()
    for thread in threads:
        thread.join(timeout=30)

    assert [texts == sorted(texts) for texts in runs] == [True, True]
