"""The counts in Prometheus' text form. The only user of `prometheus_client`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import accumulate

from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_1_0_0, generate_latest
from prometheus_client.registry import Collector

from clamp_server.ingest.counts import COMMIT_BOUNDS_S, CommitTimes, Counts
from clamp_server.ingest.drop_reason import DROP_REASONS

CONTENT_TYPE = CONTENT_TYPE_PLAIN_1_0_0


class Metrics(Collector):
    """Reads the counts when somebody asks, so that counting stays an addition.

    Args:
        endpoints: Every value of the label `endpoint`; those that took nothing
            are shown as zeros, so that a rate can be computed from the start.
        queued_events: Events that wait for their commit, now.
    """

    def __init__(
        self, counts: Counts, endpoints: Iterable[str], queued_events: Callable[[], int]
    ) -> None:
        self._counts = counts
        self._endpoints = tuple(endpoints)
        self._queued_events = queued_events
        self._registry = CollectorRegistry()
        self._registry.register(self)

    def text(self) -> bytes:
        """Return what `GET /metrics` answers."""
        return generate_latest(self._registry)

    def collect(self) -> Iterable[Metric]:
        """Yield every metric; called by the registry."""
        counts = self._counts
        yield self._by_endpoint("received", "Events that were sent.", counts.received)
        yield self._by_endpoint(
            "accepted", "Events that were stored durably.", counts.accepted
        )
        yield self._by_endpoint(
            "duplicates", "Events that had been stored before.", counts.duplicates
        )
        rejected = CounterMetricFamily(
            "clamp_events_rejected",
            "Events that are not stored; received = accepted + duplicates + rejected.",
            labels=["reason"],
        )
        for reason in DROP_REASONS:
            rejected.add_metric([reason], counts.rejected[reason])
        yield rejected
        yield GaugeMetricFamily(
            "clamp_queued_events",
            "Events that wait for their commit.",
            value=self._queued_events(),
        )
        yield _commit_seconds(counts.commits)

    def _by_endpoint(
        self, what: str, meaning: str, by_endpoint: Mapping[str, int]
    ) -> Metric:
        family = CounterMetricFamily(
            f"clamp_events_{what}", meaning, labels=["endpoint"]
        )
        for endpoint in self._endpoints:
            family.add_metric([endpoint], by_endpoint.get(endpoint, 0))
        return family


def _commit_seconds(commits: CommitTimes) -> Metric:
    bounds = [str(bound_s) for bound_s in COMMIT_BOUNDS_S] + ["+Inf"]
    upto = list(accumulate(commits.counts))
    family = HistogramMetricFamily(
        "clamp_commit_seconds", "Time of one durable commit of a group of events."
    )
    family.add_metric(
        [], list(zip(bounds, upto, strict=True)), sum_value=commits.total_s
    )
    return family
