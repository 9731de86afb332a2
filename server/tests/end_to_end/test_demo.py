"""`clamp demo`, as a person runs it: three real programs."""

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("clamp_analytics", reason="the demo's shop talks through the SDK")

LIMIT_S = 120


def clamp_demo(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "clamp_server", "demo", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={"PATH": "/usr/bin:/bin", "COLUMNS": "160"},
    )


def cells(table: str) -> list[list[str]]:
    """The rows of a drawn table, without its headings."""
    rows = [line for line in table.splitlines() if line.startswith("│")]
    return [[cell.strip() for cell in row.strip("│").split("│")] for row in rows]


def test_everything_that_was_sent_is_in_the_table() -> None:
    demo = clamp_demo("--once", "--visits", "8", "--seed", "3")
    out, err = demo.communicate(timeout=LIMIT_S)
    landed, bugs, revenue = (cells(part) for part in re.split("Errors|Revenue", out))

    assert (demo.returncode, err) == (0, "")
    counts = {name: (sent, stored) for name, sent, stored, _ in landed if name}
    assert set(counts) == {
        "$error", "$pageview", "$pageview_end",
        "purchase", "signup", "subscription_started",
    }  # fmt: skip
    assert {name for name, (sent, stored) in counts.items() if sent != stored} == set()
    assert [kind for _, kind, _, _ in bugs] == ["PaymentDeclinedError", "KeyError"]
    assert sum(int(times) for *_, times, _ in bugs) == int(counts["$error"][0])
    assert {row[0] for row in revenue} <= {"USD", "EUR"}


def test_the_page_moves_until_control_c(tmp_path: Path) -> None:
    demo = clamp_demo("--visits", "1", "--data", str(tmp_path / "kept"))
    try:
        assert demo.stdout is not None
        lines = iter(demo.stdout.readline, "")
        link = next(line for line in lines if line.startswith("The page: "))
        waiting = next(lines)
        demo.send_signal(signal.SIGINT)
        out, err = demo.communicate(timeout=LIMIT_S)
    finally:
        demo.kill()
        demo.wait()

    assert re.fullmatch(r"The page: http://127\.0\.0\.1:\d+/\S+\n", link)
    assert waiting == "More visitors keep coming until Ctrl-C.\n"
    # Ctrl-C in the middle of a line may have it written once more.
    assert (demo.returncode, out.splitlines()[-1], err) == (0, "Closing the shop.", "")
    assert (tmp_path / "kept" / "catalog.sqlite").exists()
