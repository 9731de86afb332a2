from __future__ import annotations

import pytest
from tests.integrations.arrived import Arrived, arrived
from tests.sink import Sink

from clamp_analytics import Clamp, context
from clamp_analytics.integrations._carried import carried, unpacked_context


def test_only_the_ids_travel() -> None:
    with context("aid_1", "u_1", {"plan": "pro"}):
        assert carried() == {"anonymous_id": "aid_1", "user_id": "u_1"}


def test_nothing_travels_where_nobody_is_known() -> None:
    assert carried() == {}


def test_what_travelled_opens_the_same_context(sink: Sink, clamp: Clamp) -> None:
    with unpacked_context({"anonymous_id": "aid_1", "user_id": "u_1"}):
        clamp.track("shipped")

    assert arrived(sink) == [Arrived("shipped", "aid_1", "u_1", {})]


@pytest.mark.parametrize("strange", [None, "aid_1", {"anonymous_id": 7}, {}])
def test_anything_else_that_travelled_is_nobody(
    sink: Sink, clamp: Clamp, strange: object
) -> None:
    with unpacked_context(strange):
        clamp.track("shipped")

    assert arrived(sink) == [Arrived("shipped", None, None, {})]
