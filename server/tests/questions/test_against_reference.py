"""On any stream of events, both engines answer what plain Python answers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conftest import FilledStore
from tests.make import event
from tests.questions import reference
from tests.questions.asking import answer
from tests.questions.streams import (
    every_stream,
    nothing,
    one_of,
    query,
    seldom,
    stored,
)

from clamp_server.model.event import (
    Arrival,
    Device,
    EnrichedEvent,
    Page,
    Place,
    Properties,
)
from clamp_server.model.money import Money
from clamp_server.questions.registry import QUESTIONS

# Few values, so that they meet; the odd ones are where engines could differ.
NAMES = (
    *("signup", "login", "ünï 🛒", "$pageview"),
    *("$purchase", "$refund_issued", "$subscription_canceled"),
)
KEYS = ("plan", "product", "total", "k'ey")
TEXTS = ("", "pro", "Pro", "5", "é")
NUMBERS = (5.0, -0.0, 0.0, 0.1, -2.5)
COUNTRIES = ("", "DE", "FR")
DEVICES = ("", "desktop", "bot")
PATHS = ("", "/", "/ü")
MILLISECOND = timedelta(milliseconds=1)
NEAR = (
    timedelta(0),
    -MILLISECOND,
    timedelta(seconds=60),
    timedelta(minutes=30),
    timedelta(hours=1),
)
INSTANTS = tuple(
    edge + near
    for edge in sorted({at for period in reference.PERIODS.values() for at in period})
    for near in NEAR
)


def some(values: Any, share: int = 2) -> Any:
    """Return a strategy for a dict of at most `share` keys."""
    return st.dictionaries(st.sampled_from(KEYS), values, max_size=share)


amounts = st.decimals(
    min_value=-1000, max_value=1000, allow_nan=False, allow_infinity=False, places=18
) | st.sampled_from([Decimal("0.005"), Decimal("0.0005"), Decimal("29.00")])
properties = st.builds(
    Properties,
    strings=some(st.sampled_from(TEXTS)),
    numbers=some(st.sampled_from(NUMBERS)),
    booleans=some(st.booleans()),
    money=some(
        st.builds(
            Money, amount=amounts, currency=st.sampled_from(["USD", "JPY", "KWD"])
        )
    ),
)
dimensions: dict[str, Any] = {
    "page": st.builds(
        Page, pathname=st.sampled_from(PATHS), utm_source=st.sampled_from(["", "ad"])
    ),
    "arrival": st.builds(
        Arrival,
        channel=st.sampled_from(["", "paid", "direct"]),
        referrer_host=st.sampled_from(["", "a.example", "b.example"]),
    ),
    "device": st.builds(Device, device_type=st.sampled_from(DEVICES)),
    "place": st.builds(
        Place, country=st.sampled_from(COUNTRIES), city=st.sampled_from(["", "Köln"])
    ),
}
anything: dict[str, Any] = {
    "name": st.sampled_from(NAMES),
    "at": st.sampled_from(INSTANTS),
    "anonymous_id": st.sampled_from(["", "ann", "ann", "ben"]),
    "user_id": st.sampled_from(["", "", "u1", "u2"]),
    "properties": properties,
}
events = st.builds(
    event,
    sent_by=st.just("browser"),
    session_id=st.sampled_from(["", "s1", "s2"]),
    **anything,
    **dimensions,
) | st.builds(event, **anything)
# What a shop's server tells of somebody whose browser it does not know.
of_users = st.builds(
    event,
    **{
        **anything,
        "name": st.sampled_from(NAMES[-3:]),
        "anonymous_id": st.just(""),
        "user_id": st.sampled_from(["u1", "u2"]),
    },
)
# Left alone, lists have five events on average: too few to meet.
streams = st.lists(events, max_size=3) | st.lists(events, min_size=25, max_size=40)
payments = st.lists(events | of_users, min_size=25, max_size=40)

period = one_of("period", *reference.PERIODS)
limit = one_of("limit", "1", "3", "50", "50")
filters = seldom(
    one_of("country", *COUNTRIES[1:])
    | one_of("device_type", *DEVICES[1:])
    | one_of("pathname", *PATHS[1:])
    | one_of("channel", "paid")
    | one_of("referrer_host", "a.example")
    | one_of("city", "Köln")
)
of_key = one_of("property", *KEYS)
matches = (
    query(of_key, one_of("value", *TEXTS))
    | query(of_key, one_of("value", "5", "0", "-2.5"), one_of("value_type", "number"))
    | query(of_key, one_of("value", "true", "false"), one_of("value_type", "boolean"))
)
groups = query(
    one_of("group_by", *KEYS), one_of("group_by_type", "string", "number", "boolean")
)
event_queries = query(
    period,
    limit,
    filters,
    seldom(matches),
    nothing | one_of("compare", "true") | groups | one_of("name", *NAMES),
    seldom(one_of("name", *NAMES)),
)
schema_queries = query(period, one_of("include_pageviews", "true", "true", "false"))
revenue_queries = query(
    period,
    limit,
    filters,
    seldom(one_of("event", *NAMES)),
    seldom(of_key),
    nothing
    | one_of("group_by", "plan", "product")
    | one_of("group_by", "country", "pathname", "channel", "utm_source")
    | query(
        one_of("group_by", "channel", "utm_source"),
        one_of("attribution_model", "first_touch"),
    ),
    seldom(
        query(
            one_of("first_touch_dim", "channel"),
            one_of("first_touch_value", "paid", "direct"),
        )
    ),
)
ASKED: dict[str, tuple[Callable[..., Any], Any, Any]] = {
    "events.list": (reference.events_list, streams, event_queries),
    "events.observed_schema": (reference.observed_schema, streams, schema_queries),
    "revenue.list": (reference.revenue_list, streams | payments, revenue_queries),
}


@pytest.mark.parametrize("name", ASKED)
@every_stream
@given(data=st.data())
def test_events_and_money_are_told_of_as_in_plain_python(
    store: FilledStore, name: str, data: st.DataObject
) -> None:
    expected, its_streams, queries = ASKED[name]
    stream: list[EnrichedEvent] = data.draw(its_streams, "stream")
    asked: dict[str, str] = data.draw(queries, "asked")
    project = stored(store, stream)

    found = answer(store, QUESTIONS[name], urlencode(asked), project=project)

    assert found == expected(stream, asked)
