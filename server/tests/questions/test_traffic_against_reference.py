"""On any stream of visits, both engines answer what plain Python answers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conftest import FilledStore
from tests.make import event
from tests.questions import reference_traffic as reference
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
from clamp_server.questions.registry import QUESTIONS

# The clocks of Havana went forward at midnight on 8 March, those of Kolkata are
# half an hour off.
ZONES = ("UTC", "America/Havana", "Asia/Kolkata")
PERIODS = ("today", "yesterday", "2d", "3d", "2026-03-08:2026-03-08")
METRICS = ("pageviews", "visitors", "sessions", "bounce_rate", "avg_duration")
PATHS = ("", "/", "/b", "/ü")
NEAR = (
    timedelta(0),
    timedelta(milliseconds=-1),
    timedelta(seconds=1),
    timedelta(seconds=59.5),
    timedelta(minutes=30),
    timedelta(hours=5),
)
EDGES: list[datetime] = sorted(
    {
        at
        for zone in ZONES
        for period in PERIODS
        for at in reference.span(period, ZoneInfo(zone))
    }
)
NAMES = ("$pageview", "$pageview", "$pageview_end", "$section_viewed", "signup")

texts = st.fixed_dictionaries(
    {},
    optional={
        "engagement_seconds": st.sampled_from(
            ["7", "0", "90", "", "-1", "+1", "1.5", " 1", "1e3", "٣", "1234567890"]
        ),
        "max_scroll_pct": st.sampled_from(["24", "25", "75", "100", "x"]),
        "section": st.sampled_from(["", "hero", "faq"]),
        "pathname": st.sampled_from(PATHS),
        "plan": st.sampled_from(["", "pro"]),
    },
)
anything: dict[str, Any] = {
    "name": st.sampled_from(NAMES),
    "at": st.builds(
        lambda edge, near: edge + near, st.sampled_from(EDGES), st.sampled_from(NEAR)
    ),
    "anonymous_id": st.sampled_from(["", "ann", "ann", "ben"]),
    "properties": st.builds(Properties, strings=texts),
}
dimensions: dict[str, Any] = {
    "page": st.builds(Page, pathname=st.sampled_from(PATHS)),
    "arrival": st.builds(
        Arrival,
        channel=st.sampled_from(["", "paid", "direct"]),
        referrer_host=st.sampled_from(["", "a.example", "b.example"]),
    ),
    "device": st.builds(
        Device, device_type=st.sampled_from(["", "desktop", "desktop", "bot"])
    ),
    "place": st.builds(
        Place,
        country=st.sampled_from(["", "DE", "FR"]),
        city=st.sampled_from(["", "Köln", "Paris"]),
    ),
}
browsers = st.builds(
    event,
    sent_by=st.just("browser"),
    session_id=st.sampled_from(["", "s1", "s2", "s3"]),
    **anything,
    **dimensions,
)
streams = st.lists(browsers, max_size=3) | st.lists(
    browsers | browsers | st.builds(event, **anything), min_size=15, max_size=40
)

period = one_of("period", *PERIODS)
filters = seldom(
    one_of("country", "DE", "FR")
    | one_of("device_type", "desktop", "bot")
    | one_of("pathname", *PATHS[1:])
    | query(one_of("channel", "paid"), one_of("city", "Köln"))
)
limit = one_of("limit", "1", "3", "50", "50")
metric = one_of("metric", *METRICS)
granularity = nothing | one_of("granularity", "hour", "day", "week", "month")
QUERIES: dict[str, Any] = {
    "traffic.overview": query(period, filters),
    "traffic.compare": query(
        metric, one_of("a", *PERIODS), one_of("b", *PERIODS), filters
    ),
    "traffic.timeseries": query(period, metric, granularity, filters)
    | query(
        period,
        nothing | one_of("event", "signup", "$pageview_end"),
        seldom(query(one_of("property", "plan"), one_of("value", "", "pro"))),
        granularity,
        filters,
    ),
    "traffic.breakdown": query(
        one_of("dimension", "pathname", "channel", "country", "device_type")
        | one_of("dimension", "referrer_host", "city", "entry_page", "exit_page"),
        period,
        limit,
        filters,
    ),
    "traffic.session_paths": query(
        period, limit, filters, nothing | one_of("min_pages", "2", "3")
    ),
    "traffic.engagement": query(
        period, limit, filters, nothing | one_of("view", "engagement")
    )
    | query(
        period, limit, filters, one_of("view", "sections"), one_of("pathname", "/")
    ),
}


@pytest.mark.parametrize("name", QUERIES)
@every_stream
@given(data=st.data(), stream=streams, zone=st.sampled_from(ZONES))
def test_traffic_is_told_as_in_plain_python(
    store: FilledStore,
    name: str,
    data: st.DataObject,
    stream: list[EnrichedEvent],
    zone: str,
) -> None:
    asked = data.draw(QUERIES[name], "asked")
    project = stored(store, stream, zone)
    expected: Callable[..., Any] = getattr(reference, name.removeprefix("traffic."))

    found = answer(store, QUESTIONS[name], urlencode(asked), project=project)

    assert found == expected(stream, asked, ZoneInfo(zone))
