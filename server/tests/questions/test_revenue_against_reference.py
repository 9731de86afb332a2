"""On any stream of payments, both engines answer what plain Python answers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conftest import FilledStore
from tests.make import NOON, TODAY, event
from tests.questions import reference_revenue as reference
from tests.questions.asking import answer
from tests.questions.reference import PERIODS
from tests.questions.streams import (
    every_stream,
    nothing,
    one_of,
    query,
    seldom,
    stored,
)

from clamp_server.model.event import EnrichedEvent, Place, Properties
from clamp_server.model.money import Money
from clamp_server.questions.registry import QUESTIONS

STARTED = "$subscription_started"
NAMES = (
    *(STARTED, STARTED, "$subscription_canceled", "$subscription_paused"),
    *("$subscription_upgraded", "$purchase", "$refund_issued"),
)
DAY = timedelta(days=1)
MILLISECOND = timedelta(milliseconds=1)
INSTANTS = tuple(
    edge + near
    for edge in (*(TODAY - n * DAY for n in range(5)), NOON, NOON - DAY)
    for near in (-MILLISECOND, timedelta(0))
)


def some(keys: tuple[str, ...], values: Any) -> Any:
    return st.dictionaries(st.sampled_from(keys), values, max_size=2)


amounts = st.sampled_from(
    [Decimal(text) for text in ("0.1", "-9", "29", "0.0005", "99.995")]
) | st.decimals(min_value=-99, max_value=99, places=18)
anything: dict[str, Any] = {
    "at": st.sampled_from(INSTANTS),
    "anonymous_id": st.sampled_from(["", "phone", "laptop"]),
    "user_id": st.sampled_from(["", "ann", "ben"]),
    "place": st.builds(Place, country=st.sampled_from(["", "DE", "DE", "FR"])),
    "properties": st.builds(
        Properties,
        strings=some(("plan", "product"), st.sampled_from(["", "pro", "ü"])),
        numbers=some(
            ("mrr_delta",), st.sampled_from([29.0, 29 / 12, -29 / 12, 0.1, -29.0, 0.0])
        ),
        money=some(
            ("total", "total", "tax"),
            st.builds(Money, amounts, st.sampled_from(["USD", "USD", "JPY", "KWD"])),
        ),
    ),
}
paying = st.builds(event, name=st.sampled_from(NAMES), **anything)
browsing = st.builds(
    event,
    name=st.sampled_from(["$pageview", "$purchase"]),
    sent_by=st.just("browser"),
    session_id=st.sampled_from(["s1", "s2", "s3"]),
    **anything,
)
events = paying | paying | browsing
streams = st.lists(events, max_size=3) | st.lists(events, min_size=15, max_size=25)

period = one_of("period", *PERIODS)
filters = nothing | one_of("country", "DE")
QUERIES: dict[str, tuple[Callable[..., Any], Any]] = {
    "revenue.summary": (reference.summary, query(period, filters)),
    "revenue.timeseries": (
        reference.timeseries,
        query(
            period,
            filters,
            nothing
            | one_of("metric", "revenue", "mrr", "mrr", "customers", "transactions"),
            seldom(one_of("plan", "pro")),
            seldom(one_of("product", "ü", "$purchase")),
            one_of("granularity", "day"),
        ),
    ),
    "revenue.retention": (
        reference.retention,
        query(
            one_of("cohort_period", *PERIODS),
            one_of("windows", "1d", "1d,2d", "3d,1d"),
            nothing | nothing | one_of("cohort_event", "$purchase"),
            seldom(
                query(
                    one_of("cohort_filter_property", "plan"),
                    one_of("cohort_filter_value", "pro"),
                )
            ),
        ),
    ),
}


@pytest.mark.parametrize("name", QUERIES)
@settings(every_stream, max_examples=20)
@given(data=st.data(), stream=streams)
def test_revenue_is_told_as_in_plain_python(
    store: FilledStore, name: str, data: st.DataObject, stream: list[EnrichedEvent]
) -> None:
    expected, queries = QUERIES[name]
    asked = data.draw(queries, "asked")
    project = stored(store, stream)

    found = answer(store, QUESTIONS[name], urlencode(asked), project=project)

    assert found == expected(stream, asked)
