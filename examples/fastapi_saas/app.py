"""A product with subscriptions on FastAPI. Start it with
`python examples/fastapi_saas/app.py`.

Where events go is in the environment: CLAMP_PROJECT_ID, CLAMP_API_KEY and
CLAMP_ENDPOINT. STRIPE_WEBHOOK_SECRET is the signing secret of the webhook.
"""  # noqa: D205  (a command is not broken)

from __future__ import annotations

import json
import os
import time
from decimal import Decimal
from typing import Any

import uvicorn
from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import PlainTextResponse
from stripe_signature import is_signed

from clamp_analytics.integrations.fastapi import (
    ClampMiddleware,
    RequestClamp,
    VisitorId,
    clamp_lifespan,
)

# Stripe counts in the smallest unit, which for these is the unit itself.
CURRENCIES_WITHOUT_CENTS = (
    "BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF UGX VND VUV XAF XOF XPF"
)

app = FastAPI(lifespan=clamp_lifespan)
app.add_middleware(ClampMiddleware)


@app.post("/signup")
def signup(clamp: RequestClamp) -> dict[str, str]:
    """A new user; the event is linked to the visitor's cookie."""
    clamp.track("signup", {"plan": "trial"})
    return {"status": "welcome"}


@app.post("/checkout")
def checkout(visitor_id: VisitorId) -> dict[str, str | None]:
    """What the call to Stripe takes along, for the webhook to give back."""
    return {"mode": "subscription", "client_reference_id": visitor_id}


@app.post("/stripe/webhook")
async def stripe_webhook(request: Request, clamp: RequestClamp) -> dict[str, str]:
    """A payment, told by Stripe: no browser is here, and no cookie."""
    body = await request.body()
    secret = os.environ.get("STRIPE_WEBHOOK_SECRET", "")
    header = request.headers.get("stripe-signature", "")
    # Anybody can sign with an empty secret.
    if not secret or not is_signed(body, header, secret, now_s=time.time()):
        raise HTTPException(400, "not signed by Stripe")
    event = json.loads(body)
    if event["type"] == "checkout.session.completed":
        paid(clamp, event["data"]["object"], event["id"])
    return {"status": "ok"}


def paid(clamp: RequestClamp, session: dict[str, Any], event_id: str) -> None:
    """Send the revenue of a checkout that is done."""
    currency = session["currency"].upper()
    has_cents = currency not in CURRENCIES_WITHOUT_CENTS.split()
    is_subscription = session["mode"] == "subscription"
    bought = session["metadata"]
    clamp.revenue(
        Decimal(session["amount_total"]).scaleb(-2 if has_cents else 0),
        currency,
        plan=bought["plan"] if is_subscription else None,
        product=None if is_subscription else bought["product"],
        subscription_id=session.get("subscription"),
        # What `checkout` gave along: the visitor who is credited with it.
        anonymous_id=session.get("client_reference_id"),
        # Stripe may tell of it twice; the server stores one of each id.
        event_id=event_id,
    )


@app.get("/reports/{report_id}")
def report(report_id: int) -> str:
    """Fails, so that an error can be seen to arrive."""
    raise RuntimeError("the report is not finished")


@app.exception_handler(Exception)
def sorry(request: Request, error: Exception) -> PlainTextResponse:
    """The page for errors; Clamp has seen the error before."""
    return PlainTextResponse("Sorry, that was our fault", 500)


if __name__ == "__main__":
    uvicorn.run(app, port=int(os.environ.get("PORT", "8000")))
