"""The hours of a plan."""

from datetime import UTC, datetime, timedelta

import pytest

from clamp_server.demo.rhythm import HOUR, busyness, hours

UNTIL = datetime(2024, 3, 12, 15, 30, tzinfo=UTC)


@pytest.mark.parametrize("days", [1, 7, 365])
def test_the_hours_end_where_the_plan_does(days: int) -> None:
    found = list(hours(UNTIL, days))

    assert [hour.start for hour in found] == [
        UNTIL - timedelta(days=days) + number * HOUR for number in range(24 * days)
    ]


def test_each_hour_takes_its_share_until_all_is_taken() -> None:
    shares = [hour.share for hour in hours(UNTIL, 2)]
    starts = [hour.start for hour in hours(UNTIL, 2)]
    whole = sum(map(busyness, starts))

    assert shares == [
        sum(map(busyness, starts[: number + 1])) / whole for number in range(48)
    ]
    assert shares[-1] == 1.0
