"""`clamp demo`, as a person runs it: three real programs."""

import re
import signal
import subprocess
import sys
from http.client import HTTPConnection
from pathlib import Path
from threading import Event

import pytest
from tests.end_to_end.serving import asked

from clamp_server.app import open_catalog
from clamp_server.config import Settings

pytest.importorskip("clamp_analytics", reason="the demo's shop talks through the SDK")

LIMIT_S = 120
TRIES, TRY_S = 300, 0.2


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


def number(text: str) -> int:
    return int(text.replace(",", ""))


def test_everything_that_was_sent_is_in_the_tables() -> None:
    demo = clamp_demo("--once", "--days", "3", "--events", "1200", "--seed", "7")
    out, err = demo.communicate(timeout=LIMIT_S)
    titles = "(?m)^(?:Traffic|From beans|Errors|Revenue|Customers)"
    landed, traffic, funnel, bugs, revenue, customers = map(
        cells, re.split(titles, out)
    )

    assert (demo.returncode, err) == (0, "")
    counts = {name: (sent, stored) for name, sent, stored, _ in landed if name}
    assert {"$error", "$pageview", "$purchase", "signup"} <= set(counts)
    assert {name for name, (sent, stored) in counts.items() if sent != stored} == set()
    assert sum(number(sent) for sent, _ in counts.values()) == 1200
    assert (len(traffic), len(customers)) == (1, 1)
    assert [step for step, *_ in funnel] == [
        "pageview:/beans/*", "pageview:/cart", "pageview:/checkout", "$purchase",
    ]  # fmt: skip
    assert sum(number(times) for *_, times, _ in bugs) == number(counts["$error"][0])
    # When the demo is started has its part in who comes: a yen is not certain.
    assert {"USD"} <= {currency for currency, *_ in revenue} <= {"USD", "EUR", "JPY"}


def wait_for_visitors(link: str, data: Path) -> None:
    """Wait until more is stored than the one event that was asked for."""
    catalog = open_catalog(Settings(data=data))
    (project,) = catalog.projects()
    api_key = catalog.create_key(project.id).api_key
    catalog.close()
    netloc = link.split("/")[2]
    question = f"/analytics/{project.id}/observed-schema?include_pageviews=true"
    for _ in range(TRIES):
        connection = HTTPConnection(netloc, timeout=LIMIT_S)
        answer = asked(connection, "GET", question, None, {"x-clamp-key": api_key})
        connection.close()
        if sum(event["count"] for event in answer.body.get("events", ())) > 1:
            return
        Event().wait(TRY_S)
    raise AssertionError("nobody came")


def test_the_page_moves_until_control_c(tmp_path: Path) -> None:
    demo = clamp_demo("--events", "1", "--data", str(tmp_path / "kept"))
    try:
        assert demo.stdout is not None
        lines = iter(demo.stdout.readline, "")
        link = next(line for line in lines if line.startswith("The page: "))
        waiting = next(lines)
        wait_for_visitors(link, tmp_path / "kept")
        demo.send_signal(signal.SIGINT)
        out, err = demo.communicate(timeout=LIMIT_S)
    finally:
        demo.kill()
        demo.wait()

    assert re.fullmatch(r"The page: http://127\.0\.0\.1:\d+/\S+\n", link)
    assert waiting == "More visitors keep coming until Ctrl-C.\n"
    # Ctrl-C in the middle of a line may have it written once more.
    assert (demo.returncode, out.splitlines()[-1], err) == (0, "Closing the shop.", "")
