from __future__ import annotations

from typing import Any

import pytest

from clamp_analytics import BackgroundDelivery, Stats


def test_what_is_not_said_is_this() -> None:
    assert BackgroundDelivery() == BackgroundDelivery(
        max_events=100_000,
        max_bytes=64 * 1024 * 1024,
        linger_s=0.1,
        exit_timeout=5.0,
        outbox=None,
        outbox_max_bytes=256 * 1024 * 1024,
    )


@pytest.mark.parametrize(
    "edges",
    [
        {"max_events": 1, "max_bytes": 1, "outbox_max_bytes": 1},
        {"linger_s": 0, "exit_timeout": 0},
        {"linger_s": 86_400, "exit_timeout": 86_400.0},
        {"max_events": 10**18},
    ],
    ids=str,
)
def test_the_ends_of_each_range_are_allowed(edges: dict[str, Any]) -> None:
    asked = BackgroundDelivery(**edges)

    assert {name: getattr(asked, name) for name in edges} == edges


@pytest.mark.parametrize("name", ["max_events", "max_bytes", "outbox_max_bytes"])
@pytest.mark.parametrize("value", [0, -1, 1.5, True, "9", None], ids=repr)
def test_a_count_is_one_or_more(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match="must be a number") as caught:
        BackgroundDelivery(**{name: value})

    assert str(caught.value) == f"{name} must be a number, 1 or more, not {value!r}"


@pytest.mark.parametrize("name", ["linger_s", "exit_timeout"])
@pytest.mark.parametrize(
    "value", [-0.1, 86_401, float("nan"), float("inf"), False, "1", None], ids=repr
)
def test_a_time_is_none_to_a_day(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match="must be a number") as caught:
        BackgroundDelivery(**{name: value})

    assert str(caught.value) == (f"{name} must be a number, 0 to 86400, not {value!r}")


def test_both_are_frozen_values() -> None:
    with pytest.raises(AttributeError):
        BackgroundDelivery().linger_s = 1.0  # type: ignore[misc]  # what is tested
    with pytest.raises(AttributeError):
        Stats(1, 2, {}).sent = 3  # type: ignore[misc]  # what is tested
    assert Stats(1, 2, {"rejected": 3}) == Stats(
        sent=1, waiting=2, dropped={"rejected": 3}
    )


def test_an_outbox_is_a_path() -> None:
    with pytest.raises(ValueError, match="outbox must be the path of a directory"):
        BackgroundDelivery(outbox=5)  # type: ignore[arg-type]  # the wrong type is the case
