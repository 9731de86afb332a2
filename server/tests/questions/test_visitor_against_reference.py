"""On any stream, both engines tell of visitors and errors what plain Python tells."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conftest import FilledStore
from tests.make import event
from tests.questions import reference_visitor as reference
from tests.questions.asking import answer
from tests.questions.reference_traffic import span
from tests.questions.streams import every_stream, nothing, one_of, query, stored

from clamp_server.model.event import (
    Arrival,
    Bug,
    Device,
    EnrichedEvent,
    Page,
    Place,
    Properties,
)
from clamp_server.questions.registry import QUESTIONS

# The clocks of Havana went forward at midnight on 8 March.
ZONES = ("UTC", "America/Havana", "Asia/Kolkata")
PERIODS = ("today", "yesterday", "3d")
EDGES: list[datetime] = sorted(
    {at for zone in ZONES for period in PERIODS for at in span(period, ZoneInfo(zone))}
)
# At the limits of 30 minutes and 60 seconds, and just over them.
NEAR = (
    timedelta(0),
    timedelta(0),
    timedelta(milliseconds=-1),
    timedelta(seconds=60),
    timedelta(seconds=-60),
    timedelta(minutes=30),
    timedelta(minutes=30, milliseconds=1),
    timedelta(hours=-20),
)
instants = st.builds(
    lambda edge, near: edge + near, st.sampled_from(EDGES), st.sampled_from(NEAR)
)
anything: dict[str, Any] = {
    "name": st.sampled_from(
        ["$pageview", "$error", "signup", "ünï 🛒", "$pageview_end"]
    ),
    "at": instants,
    "anonymous_id": st.sampled_from(["", "ann", "ann", "ann", "ben"]),
    "properties": st.builds(
        Properties,
        strings=st.dictionaries(
            st.sampled_from(["plan", "k'ey"]),
            st.sampled_from(["", "pro", "Pro", "é"]),
            max_size=2,
        ),
        numbers=st.dictionaries(st.just("plan"), st.just(5.0), max_size=1),
    ),
    "bug": st.builds(Bug, fingerprint=st.sampled_from(["", "aa", "bb"])),
    "page": st.builds(
        Page,
        url=st.sampled_from(["", "https://shop.example/"]),
        pathname=st.sampled_from(["", "/", "/ü"]),
        utm_source=st.sampled_from(["", "ad"]),
        utm_medium=st.sampled_from(["", "cpc"]),
        utm_campaign=st.sampled_from(["", "may"]),
    ),
}
browsers = st.builds(
    event,
    sent_by=st.just("browser"),
    session_id=st.sampled_from(["", "s1", "s2", "s3"]),
    arrival=st.builds(
        Arrival,
        referrer=st.sampled_from(["", "https://a.example/"]),
        referrer_host=st.sampled_from(["", "a.example"]),
        channel=st.sampled_from(["", "paid", "direct"]),
    ),
    device=st.builds(Device, device_type=st.sampled_from(["", "desktop", "bot"])),
    place=st.builds(Place, country=st.sampled_from(["", "DE", "FR"])),
    **anything,
)
streams = st.lists(browsers, max_size=3) | st.lists(
    browsers | st.builds(event, **anything), min_size=15, max_size=40
)

visitor = one_of("anonymous_id", "ann", "ann", "ben")
period = one_of("period", *PERIODS)
limit = one_of("limit", "1", "2", "50", "50")
QUERIES: dict[str, tuple[Callable[..., Any], Any]] = {
    "events.property_values": (
        reference.property_values,
        query(
            one_of("event", "signup", "$pageview"),
            one_of("property", "plan", "k'ey"),
            period,
            limit,
        ),
    ),
    "users.journey": (reference.journey, query(visitor, period, limit)),
    "errors.timeline": (
        reference.timeline,
        query(
            period,
            nothing | one_of("interval", "hour", "day"),
            nothing | one_of("fingerprint", "aa", "cc"),
        ),
    ),
    "errors.context": (
        reference.context,
        query(
            visitor,
            limit,
            instants.map(lambda at: {"before_timestamp": at.isoformat()}),
        ),
    ),
}


@pytest.mark.parametrize("name", QUERIES)
@settings(every_stream, max_examples=25)
@given(data=st.data(), stream=streams, zone=st.sampled_from(ZONES))
def test_visitors_and_errors_are_told_of_as_in_plain_python(
    store: FilledStore,
    name: str,
    data: st.DataObject,
    stream: list[EnrichedEvent],
    zone: str,
) -> None:
    expected, queries = QUERIES[name]
    asked = data.draw(queries, "asked")
    project = stored(store, stream, zone)

    found = answer(store, QUESTIONS[name], urlencode(asked), project=project)

    assert found == expected(stream, asked, ZoneInfo(zone))
