"""Which release runs when, and what is wrong with it."""

from datetime import UTC, datetime, timedelta

import pytest

from clamp_server.demo.release import bugs, release

START = datetime(2024, 3, 1, tzinfo=UTC)
UNTIL = START + timedelta(days=100)


@pytest.mark.parametrize(
    ("day", "running"),
    [
        (0, "2.3.0"),
        (39.9, "2.3.0"),
        (40, "2.4.0"),
        (74.9, "2.4.0"),
        (75, "2.5.0"),
        # While the demo is looked at, after its plan.
        (101, "2.5.0"),
    ],
)
def test_releases_are_spread_over_the_plan(day: float, running: str) -> None:
    assert release(START, UNTIL, START + timedelta(days=day)) == running


@pytest.mark.parametrize(
    ("path", "running", "found"),
    [
        ("/checkout", "2.3.0", ["declined"]),
        ("/cart", "2.3.0", []),
        ("/cart", "2.4.0", ["postcode"]),
        ("/cart", "2.5.0", []),
        ("/journal/grind", "2.5.0", ["reading_time"]),
        ("/", "2.5.0", []),
    ],
)
def test_a_bug_is_on_one_page_in_some_releases(
    path: str, running: str, found: list[str]
) -> None:
    assert [bug.name for bug in bugs(path, running)] == found
