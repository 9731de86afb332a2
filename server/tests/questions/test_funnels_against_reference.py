"""On any stream of visits, both engines count a funnel as plain Python does."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conftest import FilledStore
from tests.make import NOON, event
from tests.questions import reference_funnel as reference
from tests.questions.streams import every_stream, one_of, query, seldom, stored

from clamp_server.model.event import Arrival, Device, EnrichedEvent, Page, Properties
from clamp_server.model.funnel import decode_step
from clamp_server.questions.funnel_depth import (
    FunnelParams,
    read_counts,
    select_depths,
)
from clamp_server.questions.parameter import read_scope

# Few instants, so that many events have the same one. Of a session, what is further
# than a day from the period is not looked at.
INSTANTS = [
    NOON - timedelta(hours=hours, seconds=seconds)
    for hours in (0, 12, 13, 36)
    for seconds in (0, 1, 59.5)
    if hours < 36 or seconds == 0
]
some: dict[str, Any] = {
    "name": st.sampled_from(["signup", "buy", "$pageview", "$pageview"]),
    "at": st.sampled_from(INSTANTS),
    "page": st.builds(
        Page,
        pathname=st.sampled_from(["/", "/ü/a", "/ü", ""]),
        utm_source=st.sampled_from(["", "ad"]),
    ),
    "properties": st.builds(
        Properties,
        strings=st.sampled_from([{}, {"plan": "pro"}, {"plan": ""}]),
        numbers=st.sampled_from([{}, {"items": 0.0}, {"items": -0.0}, {"items": 3.0}]),
        booleans=st.sampled_from([{}, {"gift": False}, {"gift": True}]),
    ),
}
# A session is one visitor's.
browsed = st.sampled_from(["a", "b", "c"]).flatmap(
    lambda name: st.builds(
        event,
        sent_by=st.just("browser"),
        session_id=st.just(name),
        anonymous_id=st.just({"a": "ann", "b": "ann", "c": "ben"}[name]),
        arrival=st.builds(Arrival, channel=st.sampled_from(["paid", "direct"])),
        device=st.builds(
            Device, device_type=st.sampled_from(["", "desktop", "desktop", "bot"])
        ),
        **some,
    )
)
served = st.builds(event, anonymous_id=st.sampled_from(["", "ann", "ben"]), **some)
streams = st.lists(browsed | served, max_size=14)
funnels = st.lists(st.sampled_from([*reference.STEPS]), min_size=2, max_size=4)
queries = query(
    one_of("period", "today", "yesterday", "2d"),
    seldom(one_of("channel", "paid", "direct")),
)


@settings(every_stream, max_examples=15)
@given(stream=streams, steps=funnels, asked=queries)
def test_visitors_get_as_far_as_in_plain_python(
    store: FilledStore,
    stream: list[EnrichedEvent],
    steps: list[str],
    asked: dict[str, str],
) -> None:
    project = stored(store, stream)
    params = FunnelParams(
        [decode_step(step) for step in steps],
        read_scope(asked, project, NOON, leaves_out_bots=True),
    )

    found = read_counts(params, store.rows(select_depths(params, store.dialect)))

    assert found == reference.counts(stream, steps, asked)
