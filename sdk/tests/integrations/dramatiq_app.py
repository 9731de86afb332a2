"""A small project on Dramatiq: what sends messages, and the actors."""

from __future__ import annotations

import os

import dramatiq
import redis
from dramatiq.brokers.redis import RedisBroker

import clamp_analytics
from clamp_analytics import BackgroundDelivery, Money, context
from clamp_analytics.integrations.dramatiq import ClampMiddleware, track_actor

REDIS_URL = os.environ["REDIS_URL"]

# Its own arguments have no types.
broker = RedisBroker(url=REDIS_URL)  # type: ignore[no-untyped-call]
# Nothing is sent before the process ends where that is what a test is about.
is_late = os.environ.get("SEND") == "at the end"
way = BackgroundDelivery(linger_s=3600) if is_late else True
broker.add_middleware(ClampMiddleware(background=way))
dramatiq.set_broker(broker)
track = track_actor()


class SoldOutError(Exception):
    """As a shop knows it."""


@dramatiq.actor
def charge() -> None:
    clamp_analytics.track("charged")


@dramatiq.actor(max_retries=2, min_backoff=1, max_backoff=1)
def insist() -> None:
    clamp_analytics.track("tried")
    raise SoldOutError("never any stock")


@dramatiq.actor(throws=SoldOutError)
def expect() -> None:
    raise SoldOutError("as so often")


@dramatiq.actor
def note() -> None:
    with redis.Redis.from_url(REDIS_URL) as connection:
        connection.rpush("noted", "done")


def sell() -> None:
    with context("aid_1", "u_1"):
        charge.send()
        insist.send()
        expect.send()
        track.send("bought", {"total": Money(29, "USD")})
    charge.send()


def work_without_clamp() -> None:
    charge.send()
    expect.send()
    note.send()
