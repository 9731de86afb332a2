from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from clamp_server.questions.figures import QuarterHour
from clamp_server.web.chart import GAP, LEAST_HEIGHT, Bar, Chart, Tick, chart, round_top

UTC_ZONE, BERLIN = ZoneInfo("UTC"), ZoneInfo("Europe/Berlin")
DAY = date(2026, 3, 10)


def at(hour: int, minute: int = 0, day: int = 10) -> datetime:
    return datetime(2026, 3, day, hour, minute, tzinfo=UTC)


def days(count: int, last: date = DAY) -> list[date]:
    return [last - timedelta(days=n) for n in reversed(range(count))]


def heights(drawn: Chart) -> dict[int, float]:
    return {n: bar.height for n, bar in enumerate(drawn.bars) if bar.height}


def test_a_day_has_a_bar_an_hour() -> None:
    drawn = chart(
        [QuarterHour(at(12), 3, 1), QuarterHour(at(12, 45), 1, 0)], [DAY], UTC_ZONE
    )

    assert len(drawn.bars) == 24
    assert drawn.bars[12] == Bar(
        x=12 / 24 + GAP / 24,
        width=(1 - 2 * GAP) / 24,
        height=1.0,
        errors_height=0.25,
        words="Tue Mar 10, 12:00 to 13:00: 4 events, 1 error",
    )
    assert heights(drawn) == {12: 1.0}
    assert (drawn.top, drawn.title) == (4, "Each hour")
    assert drawn.words == (
        "Events over time. The most: Tue Mar 10, 12:00 to 13:00, 4 events, 1 error."
    )
    assert drawn.ticks == [
        Tick(0.0, "00:00"),
        Tick(0.25, "06:00"),
        Tick(0.5, "12:00"),
        Tick(0.75, "18:00"),
    ]


def test_a_week_has_a_bar_every_three_hours() -> None:
    drawn = chart([QuarterHour(at(0), 8, 0)], days(7), UTC_ZONE)

    assert (len(drawn.bars), drawn.title) == (56, "Every 3 hours")
    assert heights(drawn) == {48: 1.0}
    assert drawn.bars[48].words == "Tue Mar 10, 00:00 to 03:00: 8 events"
    assert [tick.words for tick in drawn.ticks] == [
        "Wed", "Thu", "Fri", "Sat", "Sun", "Mon", "Tue",
    ]  # fmt: skip


def test_a_month_has_a_bar_a_day() -> None:
    drawn = chart([QuarterHour(at(23, 45), 1, 0)], days(30), UTC_ZONE)

    assert (len(drawn.bars), drawn.title) == (30, "Each day")
    assert heights(drawn) == {29: 0.25}
    assert drawn.bars[29].words == "Tue Mar 10: 1 event"
    assert [tick.words for tick in drawn.ticks] == [
        "Feb 11",
        "Feb 18",
        "Feb 25",
        "Mar 4",
    ]


def test_a_day_begins_at_the_projects_midnight() -> None:
    first = QuarterHour(at(23, day=9), 1, 0)
    last = QuarterHour(at(22, 45), 2, 0)
    before, after = QuarterHour(at(22, 45, day=9), 9, 9), QuarterHour(at(23), 9, 9)

    drawn = chart([before, first, last, after], [DAY], BERLIN)

    assert heights(drawn) == {0: 0.25, 23: 0.5}


def test_hours_of_a_zone_with_a_quarter_are_told_apart() -> None:
    kathmandu = ZoneInfo("Asia/Kathmandu")

    drawn = chart(
        [QuarterHour(at(6), 1, 0), QuarterHour(at(6, 15), 2, 0)], [DAY], kathmandu
    )

    assert heights(drawn) == {11: 0.25, 12: 0.5}


@pytest.mark.parametrize(
    ("day", "hours", "blocks"),
    [(date(2026, 3, 29), 23, 8), (date(2026, 10, 25), 25, 9)],
)
def test_a_day_on_which_the_clocks_change_is_whole(
    day: date, hours: int, blocks: int
) -> None:
    by_hour = chart([], [day], BERLIN)
    by_block = chart([], days(3, day), BERLIN)
    by_day = chart([], days(8, day), BERLIN)

    assert [len(drawn.bars) for drawn in (by_hour, by_block, by_day)] == [
        hours,
        8 + 8 + blocks,
        8,
    ]


def test_no_events_are_a_chart_without_bars() -> None:
    drawn = chart([], [DAY], UTC_ZONE)

    assert heights(drawn) == {}
    assert (drawn.top, drawn.words) == (4, "No events in this time.")


def test_a_single_error_among_thousands_is_still_seen() -> None:
    drawn = chart([QuarterHour(at(1), 10_000, 1)], [DAY], UTC_ZONE)

    assert drawn.bars[1].errors_height == LEAST_HEIGHT


def test_no_bar_stands_on_another() -> None:
    bars = chart([], days(7), UTC_ZONE).bars

    assert all(a.x + a.width <= b.x for a, b in pairwise(bars))
    assert bars[-1].x + bars[-1].width <= 1


@pytest.mark.parametrize("largest", [0, 1, 4, 5, 19, 20, 21, 99, 100, 7_654_321])
def test_the_axis_ends_at_or_above_the_largest_and_can_be_halved(largest: int) -> None:
    top = round_top(largest)

    assert largest <= top <= max(4, 2 * largest)
    assert top % 2 == 0
