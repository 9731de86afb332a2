from datetime import UTC, datetime, timedelta, timezone

from clamp_server.model.instant import encode_instant


def test_an_instant_is_written_in_utc_with_whole_milliseconds() -> None:
    here = datetime(2026, 3, 10, 1, 2, 3, 4_999, timezone(timedelta(hours=5)))

    assert encode_instant(here) == "2026-03-09T20:02:03.004Z"


def test_a_whole_second_keeps_its_milliseconds() -> None:
    assert encode_instant(datetime(2026, 3, 10, tzinfo=UTC)) == (
        "2026-03-10T00:00:00.000Z"
    )
