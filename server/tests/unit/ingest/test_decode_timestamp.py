from datetime import UTC, datetime, timedelta

import pytest
from tests.make import NOON

from clamp_server.errors import InvalidRequestError
from clamp_server.ingest.decode_timestamp import decode_timestamp

MIDNIGHT = datetime(2026, 3, 10, tzinfo=UTC)
ALLOWED = "ISO 8601 is allowed, such as 2026-03-10T12:00:00Z"
RANGE = "2000-01-01 to 24 hours from now is allowed"


@pytest.mark.parametrize(
    ("sent", "instant"),
    [
        ("2026-03-10T12:00:00Z", NOON),
        ("2026-03-10T12:00:00z", NOON),
        ("2026-03-10t12:00:00Z", NOON),
        ("2026-03-10 12:00:00Z", NOON),
        ("2026-03-10T12:00:00", NOON),
        ("2026-03-10T12:00", NOON),
        ("2026-03-10T12", NOON),
        ("2026-03-10T12:00:00+00:00", NOON),
        ("2026-03-10T12:00:00-00:00", NOON),
        ("2026-03-10T14:00:00+02:00", NOON),
        ("2026-03-10T14:00:00+0200", NOON),
        ("2026-03-10T14:00:00+02", NOON),
        ("2026-03-10T06:30:00-05:30", NOON),
        ("2026-03-11T02:00:00+14:00", NOON),
        ("20260310T120000Z", NOON),
        ("20260310T1200", NOON),
        ("2026-03-10", MIDNIGHT),
        ("20260310", MIDNIGHT),
        ("2026-03-10T12:00:00.5Z", NOON + timedelta(milliseconds=500)),
        ("2026-03-10T12:00:00,5Z", NOON + timedelta(milliseconds=500)),
        ("2026-03-10T12:00:00.123Z", NOON + timedelta(milliseconds=123)),
        ("2026-03-10T12:00:00.123999Z", NOON + timedelta(milliseconds=123)),
        ("2026-03-10T12:00:00.123456789Z", NOON + timedelta(milliseconds=123)),
        ("2000-01-01T00:00:00Z", datetime(2000, 1, 1, tzinfo=UTC)),
        ("2026-03-11T12:00:00Z", NOON + timedelta(hours=24)),
    ],
)
def test_every_usual_shape_is_an_instant_in_utc(sent: str, instant: datetime) -> None:
    decoded = decode_timestamp(sent, NOON)

    assert decoded == instant
    assert decoded is not None
    assert decoded.tzinfo is UTC


@pytest.mark.parametrize("sent", [None, ""])
def test_none_was_sent(sent: str | None) -> None:
    assert decode_timestamp(sent, NOON) is None


@pytest.mark.parametrize(
    ("sent", "code", "message"),
    [
        (5, "wrong_type", f"got a number; text in {ALLOWED}"),
        (True, "wrong_type", f"got a boolean; text in {ALLOWED}"),
        ([], "wrong_type", f"got an array; text in {ALLOWED}"),
        ("yesterday", "invalid_value", f'got "yesterday"; {ALLOWED}'),
        ("1773144000", "invalid_value", f'got "1773144000"; {ALLOWED}'),
        ("10.03.2026", "invalid_value", f'got "10.03.2026"; {ALLOWED}'),
        ("2026-02-30", "invalid_value", f'got "2026-02-30"; {ALLOWED}'),
        ("2026-03-10-12:00", "invalid_value", f'got "2026-03-10-12:00"; {ALLOWED}'),
        ("2026-03-10T06.5Z", "invalid_value", f'got "2026-03-10T06.5Z"; {ALLOWED}'),
        ("2026-03-10T06:30.5Z", "invalid_value", None),
        ("2026-03-10T06,25", "invalid_value", None),
        ("2026-03-10T06:30:00 Z", "invalid_value", None),
        ("2026-03-10T06:30:00xZ", "invalid_value", None),
        ("2026-03-10T25:00", "invalid_value", f'got "2026-03-10T25:00"; {ALLOWED}'),
        ("٢٠٢٦-03-10", "invalid_value", f'got "٢٠٢٦-03-10"; {ALLOWED}'),
        ("2026-03-10T12:00:00+25:00", "invalid_value", None),
        ("0001-01-01T00:00:00+14:00", "invalid_value", None),
        ("9999-12-31T23:59:59-14:00", "invalid_value", None),
        ("x" * 60_000, "invalid_value", f'got "{"x" * 40}…"; {ALLOWED}'),
        ("1970-01-01", "over_limit", f'got "1970-01-01"; {RANGE}'),
        ("1999-12-31T23:59:59.999Z", "over_limit", None),
        ("2026-03-11T12:00:00.001Z", "over_limit", None),
        ("2027-03-10", "over_limit", f'got "2027-03-10"; {RANGE}'),
    ],
)
def test_the_refusal_says_what_is_allowed(
    sent: object, code: str, message: str | None
) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        decode_timestamp(sent, NOON)

    assert refused.value.code == code
    if message is not None:
        assert refused.value.message == f"timestamp: {message}"
