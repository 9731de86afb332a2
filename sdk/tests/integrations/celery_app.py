"""A small project on Celery: what enqueues, and the tasks."""

from __future__ import annotations

import os
import signal
from typing import Any

import celery
import redis

import clamp_analytics
from clamp_analytics import BackgroundDelivery, Money, context
from clamp_analytics.integrations.celery import install, track

REDIS_URL = os.environ["REDIS_URL"]

app = celery.Celery("shop", broker=REDIS_URL)
app.conf.broker_connection_retry_on_startup = True
# Nothing is sent before the process ends where that is what a test is about.
WAYS = {"at once": False, "at the end": BackgroundDelivery(linger_s=3600)}
way = WAYS.get(os.environ.get("SEND", ""), True)
# Twice, as in a project whose module is loaded under two names.
install(background=way)
install(background=way)


class SoldOutError(Exception):
    """As a shop knows it."""


@app.task(name="charge")
def charge() -> None:
    clamp_analytics.track("charged")


@app.task(name="ship")
def ship() -> None:
    raise SoldOutError("no stock")


@app.task(name="insist", bind=True, max_retries=2)
def insist(self: Any) -> None:
    clamp_analytics.track("tried", {"attempt": self.request.retries + 1})
    raise self.retry(countdown=0, exc=SoldOutError("never any stock"))


@app.task(name="expect", throws=SoldOutError)
def expect() -> None:
    raise SoldOutError("as so often")


@app.task(name="die")
def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@app.task(name="note")
def note() -> None:
    with redis.Redis.from_url(REDIS_URL) as connection:
        connection.rpush("noted", "done")


def sell() -> None:
    with context("aid_1", "u_1"):
        charge.delay()
        ship.delay()
        insist.delay()
        expect.delay()
        track.delay("bought", {"total": Money(29, "USD")})
    charge.delay()


def offload() -> None:
    with context("aid_1", "u_1", {"plan": "pro"}):
        track.delay("bought", {"total": Money(29, "USD")}, timestamp="2026-03-10")


def lose_a_process() -> None:
    die.delay()


def work_without_clamp() -> None:
    charge.delay()
    ship.delay()
    note.delay()
