from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clamp_analytics._segment import (
    Run,
    Segment,
    decode_run,
    encode_line,
    encode_time,
)

NOON = encode_time(1_773_144_000.0)
LATER = encode_time(1_773_144_001.0)
A, B, C = b'{"id":"a"}', b'{"id":"b"}', b'{"id":"c"}'
FLIPPED = encode_line(b'{"id":"x"}', NOON).replace(b"x", b"y")

events = st.lists(st.binary().filter(lambda event: b"\n" not in event))


def runs(chunk: bytes) -> list[Run]:
    """Everything in `chunk`, as one take after the other finds it."""
    found = []
    while chunk:
        run = decode_run(chunk, 1_000, 1_000_000, NOON)
        found.append(run)
        chunk = chunk[run.size_bytes :]
    return found


def test_a_line_has_a_checksum_the_time_and_the_event() -> None:
    assert encode_line(A, NOON) == b'4d330d5d 1773144000000 {"id":"a"}\n'


def test_a_clock_before_1970_still_has_thirteen_digits() -> None:
    assert encode_time(-1.0) == b"0000000000000"


def test_a_run_ends_where_another_kind_of_line_begins() -> None:
    good, old = encode_line(A, NOON), encode_line(B, b"1773143999999")
    chunk = good + good + FLIPPED + old + good + good[:-1]

    assert runs(chunk) == [
        Run(None, [A, A], 2 * len(good)),
        Run("outbox_corrupt", [FLIPPED[:-1]], len(FLIPPED)),
        Run("too_old", [B], len(old)),
        Run(None, [A], len(good)),
        Run("outbox_corrupt", [good[:-1]], len(good) - 1),
    ]


@pytest.mark.parametrize(
    ("max_events", "max_bytes", "expected"),
    [
        (2, 1000, [A, B]),
        (1000, 3 * len(A) + 3, [A, B, C]),
        (1000, 3 * len(A) + 2, [A, B]),
        (1000, 0, [A]),
    ],
)
def test_a_run_has_as_many_events_as_fit_and_one_at_least(
    max_events: int, max_bytes: int, expected: list[bytes]
) -> None:
    chunk = b"".join(encode_line(event, NOON) for event in (A, B, C))

    assert decode_run(chunk, max_events, max_bytes, NOON).events == expected


@given(events, st.binary())
def test_whole_lines_come_out_as_they_went_in_whatever_follows(
    before: list[bytes], garbage: bytes
) -> None:
    chunk = b"".join(encode_line(event, NOON) for event in before)

    found = runs(chunk + garbage)

    sent = [event for run in found if run.reason is None for event in run.events]
    assert sent == before
    assert sum(run.size_bytes for run in found) == len(chunk + garbage)


@given(events, st.binary(min_size=1))
def test_whole_lines_are_found_again_behind_garbage(
    after: list[bytes], garbage: bytes
) -> None:
    chunk = b"".join(encode_line(event, NOON) for event in after)

    found = runs(garbage + b"\n" + chunk)

    sent = [event for run in found if run.reason is None for event in run.events]
    assert sent == after


@pytest.mark.skipif(sys.platform != "linux", reason="descriptors are looked up")
def test_a_file_whose_torn_line_cannot_be_cut_off_is_full(tmp_path: Path) -> None:
    segment = Segment.create(tmp_path / "a.events", "proj_test")
    (appending,) = (
        int(link.name)
        for link in Path("/proc/self/fd").iterdir()
        if is_appending(link, segment.path)
    )
    # As on a disk that has become read-only: neither written nor cut.
    read_only = os.open(segment.path, os.O_RDONLY)
    os.dup2(read_only, appending)
    os.close(read_only)

    with pytest.raises(OSError, match="Bad file descriptor"):
        segment.append(encode_line(A, NOON))

    segment.close()
    assert (segment.is_full, segment.entered) == (True, 0)


def is_appending(descriptor: Path, path: Path) -> bool:
    try:
        is_it = descriptor.readlink() == path
        info = Path(f"/proc/self/fdinfo/{descriptor.name}").read_text()
    except OSError:
        # The one that the listing itself had open.
        return False
    return is_it and bool(int(info.split()[3], 8) & os.O_APPEND)
