"""The worker's side: tasks that know the visitor who caused them."""

from __future__ import annotations

import os

from celery import Celery

from clamp_analytics import Money, track
from clamp_analytics.integrations.celery import install

app = Celery("shop", broker=os.environ.get("REDIS_URL", "redis://127.0.0.1:6379/0"))
app.conf.broker_connection_retry_on_startup = True

# Project, key and endpoint come from CLAMP_PROJECT_ID, CLAMP_API_KEY and
# CLAMP_ENDPOINT. The shop imports this module too, so both sides are installed.
install()


class CardDeclinedError(Exception):
    """The bank said no."""


@app.task
def charge(order: int, euros: float) -> None:
    """Charge a card, and count the money for the visitor who pays."""
    if euros > 1000:
        raise CardDeclinedError("the bank declined a charge")
    track("purchase", {"order": order, "total": Money(euros, "EUR")})


@app.task(autoretry_for=(ConnectionError,), max_retries=2, default_retry_delay=0)
def send_receipt(order: int) -> None:
    """Send mail; a failure counts when the last attempt fails, once."""
    raise ConnectionError("the mail server is away")
