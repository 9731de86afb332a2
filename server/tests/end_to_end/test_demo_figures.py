"""The demo's traffic over the real wire; the plan knows what must be answered."""

import json
import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from tests.end_to_end.demo_money import Money, Paid
from tests.end_to_end.demo_truth import Truth, page, payment, signup
from tests.end_to_end.serving import Server, asked, made_place, serving

from clamp_server.demo.browsers import Browsers
from clamp_server.demo.plan import plan

clamp_analytics = pytest.importorskip(
    "clamp_analytics", reason="the demo's shop talks through the SDK"
)

UNTIL = datetime(2024, 3, 12, 15, 30, tzinfo=UTC)
TRAFFIC = [
    {"days": 40, "events": 6_000, "seed": 7},
    {"days": 1, "events": 500, "seed": 3},
]
DIMENSIONS = [
    "channel",
    "country",
    "device_type",
    "browser",
    "os",
    "pathname",
    "referrer_host",
    "utm_campaign",
    "entry_page",
    "exit_page",
]


@dataclass(frozen=True)
class Shown:
    """A server that got the traffic of a plan, and the truth about that."""

    server: Server
    truth: Truth
    money: Money
    period: str
    sent: dict[str, int]

    def ask(self, path: str, **parameters: Any) -> Any:
        query = urlencode({"period": self.period, **parameters})
        return self._call("GET", f"{path}?{query}")

    def save(self, path: str, body: dict[str, object]) -> None:
        self._call("POST", path, json.dumps(body).encode())

    def _call(self, method: str, path: str, body: bytes | None = None) -> Any:
        place = self.server.place
        with closing(self.server.connection()) as connection:
            answer = asked(
                connection,
                method,
                f"/analytics/{place.project_id}/{path}",
                body,
                {"x-clamp-key": place.api_key, "content-type": "application/json"},
            )
        assert answer.status == 200, answer.body
        return answer.body


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    place = made_place(tmp_path_factory.mktemp("demo") / "data")
    # The visitors' addresses are in the header that a proxy would write.
    with serving(place, "--trusted-proxy", "127.0.0.1") as running:
        yield running


@pytest.fixture(
    scope="module", params=TRAFFIC, ids=lambda traffic: f"{traffic['days']} days"
)
def shown(request: pytest.FixtureRequest, server: Server) -> Shown:
    from clamp_server.demo.shop import Shop, open_shop

    traffic: dict[str, int] = request.param
    since = (UNTIL - timedelta(days=traffic["days"])).date()
    truth = Truth(plan(UNTIL, **traffic), since, UNTIL.date())
    money = Money(plan(UNTIL, **traffic))
    # A project of its own, beside the other traffic.
    place = made_place(server.place.data)
    endpoint = f"http://127.0.0.1:{server.port}"
    clamp = clamp_analytics.Clamp(
        place.project_id, place.api_key, endpoint, background=True
    )
    with clamp, Browsers(endpoint, place.project_id) as browsers:
        shop = Shop(clamp, browsers)
        open_shop(shop, plan(UNTIL, **traffic))
    period = f"{since}:{UNTIL.date()}"
    return Shown(replace(server, place=place), truth, money, period, dict(shop.sent))


def test_every_planned_event_is_sent_and_stored_once(shown: Shown) -> None:
    schema = shown.ask("observed-schema", include_pageviews="true")
    stored = {event["name"]: event["count"] for event in schema["events"]}

    assert (shown.sent, stored) == (shown.truth.names(), shown.truth.names())


def test_the_overview_is_that_of_the_plan(shown: Shown) -> None:
    assert shown.ask("overview") == shown.truth.overview()


@pytest.mark.parametrize("metric", ["pageviews", "visitors", "sessions"])
def test_each_day_is_that_of_the_plan(shown: Shown, metric: str) -> None:
    told = shown.ask("timeseries", metric=metric, granularity="day")

    assert told == shown.truth.by_day(metric)


@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_a_breakdown_is_that_of_the_plan(shown: Shown, dimension: str) -> None:
    told = shown.ask("breakdown", dimension=dimension, limit=50)

    assert told == shown.truth.breakdown(dimension)


def test_session_paths_are_those_of_the_plan(shown: Shown) -> None:
    assert shown.ask("session-paths", limit=50) == shown.truth.session_paths()


@pytest.mark.parametrize(
    ("name", "steps"),
    [
        (
            "Beans",
            {
                "pageview:/beans/*": page("/beans/*"),
                "pageview:/cart": page("/cart"),
                "pageview:/checkout": page("/checkout"),
                "$purchase": payment("purchase"),
            },
        ),
        (
            "Plans",
            {
                "pageview:/plans": page("/plans"),
                "pageview:/signup": page("/signup"),
                "signup": signup,
                "$subscription_started": payment("subscription_started"),
            },
        ),
    ],
)
def test_a_funnel_is_that_of_the_plan(
    shown: Shown, name: str, steps: dict[str, Any]
) -> None:
    shown.save("funnels", {"name": name, "steps": list(steps)})

    told = shown.ask("funnels", name=name)

    counts = [step["count"] for step in told["steps"]]
    assert counts == shown.truth.funnel(list(steps.values()))
    # It has drop-off in it, and somebody who gets through.
    assert counts[0] > counts[1] > counts[-1] > 0


def test_revenue_by_currency_is_that_of_the_plan(shown: Shown) -> None:
    assert shown.ask("revenue") == shown.money.revenue()


@pytest.mark.parametrize("dimension", ["channel", "country", "plan", "product"])
def test_revenue_by_group_is_that_of_the_plan(shown: Shown, dimension: str) -> None:
    def group(paid: Paid) -> str:
        return {
            "channel": paid.visit.source.channel,
            "country": paid.visit.visitor.place.country,
            "plan": paid.payment.plan,
            "product": paid.product,
        }[dimension]

    told = shown.ask("revenue", group_by=dimension, limit=50)

    assert told == shown.money.revenue(group)


def test_the_summary_of_revenue_is_that_of_the_plan(shown: Shown) -> None:
    told = shown.ask("revenue/summary")

    assert told == shown.money.summary(shown.period)


def test_mrr_is_that_of_the_plan_on_each_day(shown: Shown) -> None:
    currency = shown.money.summary(shown.period)["currency"]

    told = shown.ask("revenue/timeseries", metric="mrr", granularity="day")

    assert told == shown.money.mrr_by_day(currency, shown.truth.dates)


def test_each_bug_is_one_group_of_errors(shown: Shown) -> None:
    groups = shown.ask("errors/groups")["groups"]

    fingerprints = {group.pop("fingerprint") for group in groups}
    assert {group["sample_type"]: group for group in groups} == (
        shown.truth.error_groups()
    )
    assert len(fingerprints) == len(groups)
    assert all(re.fullmatch("[0-9a-f]{16}", one) for one in fingerprints)
