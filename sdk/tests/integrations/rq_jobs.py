"""A small project on RQ: what enqueues, and the jobs."""

from __future__ import annotations

import os

import redis
from rq import Queue, Retry

import clamp_analytics
from clamp_analytics import Money, context
from clamp_analytics.integrations.rq import ClampJob, track


class SoldOutError(Exception):
    """As a shop knows it."""


def charge() -> None:
    clamp_analytics.track("charged")


def ship() -> None:
    clamp_analytics.track("shipping")
    raise SoldOutError("no stock")


def note() -> None:
    with connection() as redis_now:
        redis_now.rpush("noted", "done")


def connection() -> redis.Redis:
    return redis.Redis.from_url(os.environ["REDIS_URL"])


def queue() -> Queue:
    return Queue(connection=connection(), job_class=ClampJob)


def sell() -> None:
    mine = {"order": 7}
    with context("aid_1", "u_1"):
        queue().enqueue(charge, meta=mine)
        queue().enqueue(ship, retry=Retry(max=2))
        queue().enqueue(track, "bought", {"total": Money(29, "USD")})
    queue().enqueue(charge, meta=mine)


def work_without_clamp() -> None:
    queue().enqueue(ship)
    queue().enqueue(note)
