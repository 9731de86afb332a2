"""The shapes that clients of the read API insist on, written from its contract.

Not made from the server's own classes: what a client validates must not follow
when those change by mistake.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec
from msgspec import UNSET, UnsetType

MaybeText: TypeAlias = str | UnsetType


class Exact(msgspec.Struct, forbid_unknown_fields=True):
    """Has these fields and no others."""


class EventTotal(Exact):
    name: str
    count: int
    visitors: int


class ComparedTotal(EventTotal):
    prev_count: int
    prev_visitors: int


class NamedCount(Exact):
    name: str
    count: int


class GroupCount(NamedCount):
    group_value: str


class TypeCount(Exact):
    type: Literal["string", "number", "boolean", "money"]
    occurrences: int


class EventSchema(Exact):
    name: str
    count: int
    properties: dict[str, list[TypeCount]]


class ObservedSchema(Exact):
    period: str
    events: list[EventSchema]


class ValueCount(Exact):
    value: str
    count: int


class PropertyValues(Exact):
    event: str
    property: str
    period: str
    values: list[ValueCount]


class ErrorEvent(Exact):
    timestamp: str
    handled: bool
    message: MaybeText = UNSET
    type: MaybeText = UNSET
    stack: MaybeText = UNSET
    fingerprint: MaybeText = UNSET
    url: MaybeText = UNSET
    pathname: MaybeText = UNSET
    browser: MaybeText = UNSET
    browser_version: MaybeText = UNSET
    os: MaybeText = UNSET
    device_type: MaybeText = UNSET
    country: MaybeText = UNSET
    anonymous_id: MaybeText = UNSET
    session_id: MaybeText = UNSET


class Errors(Exact):
    period: str
    count: int
    errors: list[ErrorEvent]


class ErrorBucket(Exact):
    bucket: str
    count: int


class ErrorTimeline(Exact):
    period: str
    interval: Literal["hour", "day"]
    fingerprint: str | None
    series: list[ErrorBucket]


class EventBefore(Exact):
    timestamp: str
    name: str
    url: MaybeText = UNSET
    pathname: MaybeText = UNSET
    referrer: MaybeText = UNSET


class ErrorContext(Exact):
    anonymous_id: str
    before_timestamp: str
    count: int
    events: list[EventBefore]


class JourneySession(Exact):
    session_id: str
    is_first_touch: bool
    started_at: str
    ended_at: str
    entry_page: str
    channel: str
    referrer_host: str
    utm_source: str
    utm_medium: str
    utm_campaign: str
    country: str
    device_type: str
    pageviews: int
    events: list[str]


class Journey(Exact):
    anonymous_id: str
    sessions: list[JourneySession]


class SearchQuery(Exact):
    query: str
    clicks: int
    impressions: int
    ctr: float
    position: float


class LandingPage(Exact):
    page: str
    pathname: str
    clicks: int
    impressions: int
    position: float
    organic_sessions: int
    conversions: int


class ErrorGroup(Exact, kw_only=True):
    fingerprint: str
    sample_message: MaybeText = UNSET
    sample_type: MaybeText = UNSET
    count: int
    users_affected: int
    first_seen: str
    last_seen: str


class ErrorGroups(Exact):
    period: str
    sort_by: Literal["count", "users_affected", "last_seen", "first_seen"]
    groups: list[ErrorGroup]


Number: TypeAlias = int | float


class Comparison(Exact):
    previous: Number
    change: str


class Comparisons(Exact):
    pageviews: Comparison
    visitors: Comparison
    sessions: Comparison
    bounce_rate: Comparison


class Overview(Exact):
    pageviews: int
    visitors: int
    sessions: int
    bounce_rate: Number
    avg_duration: Number
    comparison: Comparisons


class Point(Exact):
    date: str
    count: Number


class PeriodValue(Exact):
    period: str
    value: Number


class Compared(Exact):
    metric: str
    a: PeriodValue
    b: PeriodValue
    absolute_delta: Number
    pct_delta: str


class Share(Exact):
    name: str
    pageviews: int
    visitors: int


class HostShare(Share):
    channel: MaybeText = UNSET


class CityShare(Share):
    country: MaybeText = UNSET


class SessionPath(Exact):
    entry_page: str
    exit_page: str
    sessions: int
    avg_pages: Number
    avg_duration_seconds: Number
    bounced: bool


class PageViews(Exact):
    pathname: str
    pageviews: int
    visitors: int


class ScrollDistribution(Exact):
    samples: int
    pct_reached_25: Number | None
    pct_reached_50: Number | None
    pct_reached_75: Number | None
    pct_reached_100: Number | None


class PageReading(PageViews):
    avg_engagement_seconds: Number | None
    bounce_rate: Number | None
    avg_max_scroll: Number | None
    scroll_distribution: ScrollDistribution | None


class SectionViews(Exact):
    section: str
    views: int
    view_rate: Number | None
    pageviews: int


class TopPage(Exact):
    name: str
    pageviews: int
    visitors: int


class TopName(Exact):
    name: str
    visitors: int


class Realtime(Exact):
    window_minutes: int
    visitors: int
    pageviews: int
    top_pages: list[TopPage]
    top_sources: list[TopName]
    top_countries: list[TopName]


class Revenue(Exact):
    currency: str
    amount: str
    events: int
    visitors: int


class GroupedRevenue(Revenue):
    group_value: str


class Change(Exact):
    change: str


class RevenueChanges(Exact):
    revenue: Change | None
    customers: Change | None
    orders: Change | None
    aov: Change | None
    ltv: Change | None
    mrr: Change | None
    arr: Change | None


class CurrencyTotal(Exact):
    currency: str
    amount: Number


class PlanRevenue(Exact):
    plan: str
    revenue: Number
    mrr_contribution: Number
    customers: int


class ProductRevenue(Exact):
    product: str
    revenue: Number
    transactions: int
    customers: int


class RevenueSummary(Exact):
    period: str
    currency: str
    revenue: Number
    customers: int
    orders: int
    aov: Number
    ltv: Number
    mrr: Number | None
    arr: Number | None
    is_subscription: bool
    has_one_time: bool
    total_revenue: list[CurrencyTotal]
    comparison: RevenueChanges
    plans: list[PlanRevenue]
    products: list[ProductRevenue]


class MoneyPoint(Exact):
    date: str
    value: Number


class RevenueCohort(Exact):
    event: str
    period: str


class RevenueWindow(Exact):
    window: str
    days: int
    mature_size: int
    retained: int
    retention_rate: Number | None
    mrr_at_d: Number
    baseline_mrr_mature: Number
    nrr: Number | None


class RevenueRetention(Exact):
    cohort: RevenueCohort
    size: int
    baseline_mrr: Number
    currency: str
    retention: list[RevenueWindow]


class Bootstrap(Exact):
    projectId: str
    projectName: str
    plan: str
