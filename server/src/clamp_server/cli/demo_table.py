"""What `clamp demo` prints of the answers to its questions."""

from __future__ import annotations

import json
import os
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from rich.table import Table

from clamp_server.cli.terminal import out

# A million events take a while to go through.
ASK_S = 60.0
FUNNEL = "From beans to a purchase"
STEPS = ("pageview:/beans/*", "pageview:/cart", "pageview:/checkout", "$purchase")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shopkeeper:
    """What the shop needs to know of its server, and we to ask about it."""

    endpoint: str
    project_id: str
    api_key: str

    def environment(self) -> dict[str, str]:
        """The environment that the SDK reads."""
        return os.environ | {
            "CLAMP_ENDPOINT": self.endpoint,
            "CLAMP_PROJECT_ID": self.project_id,
            "CLAMP_API_KEY": self.api_key,
        }

    def ask(self, question: str, body: Mapping[str, object] | None = None) -> Any:
        """Ask the server's read API, as any program would; a `body` is posted."""
        request = urllib.request.Request(  # noqa: S310 - our own address
            f"{self.endpoint}/analytics/{self.project_id}/{question}",
            None if body is None else json.dumps(body).encode(),
            {"x-clamp-key": self.api_key, "content-type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=ASK_S) as answer:  # noqa: S310
            return json.load(answer)


def print_what_landed(keeper: Shopkeeper, sent: Mapping[str, int], period: str) -> None:
    """Print what was sent beside what is stored, and what is told of it.

    Args:
        period: As a parameter of the read API; all of it was in there.
    """
    out.print(
        _events(keeper, sent, period),
        _traffic(keeper, period),
        _funnel(keeper, period),
        _bugs(keeper, period),
        _money(keeper, period),
        _customers(keeper, period),
    )


def _events(keeper: Shopkeeper, sent: Mapping[str, int], period: str) -> Table:
    schema = keeper.ask(f"observed-schema?include_pageviews=true&period={period}")
    stored = {event["name"]: event for event in schema["events"]}
    table = _table("What landed", "Event", "Sent#", "Stored#", "Properties")
    for name in sorted(sent):
        kept = stored.get(name, {"count": 0, "properties": {}})
        types = [
            f"{key}: {seen[0]['type']}" for key, seen in kept["properties"].items()
        ]
        table.add_row(name, f"{sent[name]:,}", f"{kept['count']:,}", ", ".join(types))
    return table


def _traffic(keeper: Shopkeeper, period: str) -> Table:
    told = keeper.ask(f"overview?period={period}")
    table = _table(
        "Traffic", "Page views#", "Visitors#", "Sessions#", "Bounces#", "Duration#"
    )
    table.add_row(
        f"{told['pageviews']:,}",
        f"{told['visitors']:,}",
        f"{told['sessions']:,}",
        f"{told['bounce_rate']} %",
        f"{told['avg_duration']} s",
    )
    return table


def _funnel(keeper: Shopkeeper, period: str) -> Table:
    keeper.ask("funnels", {"name": FUNNEL, "steps": STEPS})
    funnel = keeper.ask(f"funnels?{urlencode({'name': FUNNEL, 'period': period})}")
    table = _table(FUNNEL, "Step", "Visitors#", "Of those before#")
    for step in funnel["steps"]:
        table.add_row(step["name"], f"{step['count']:,}", step["rate"])
    return table


def _bugs(keeper: Shopkeeper, period: str) -> Table:
    table = _table("Errors grouped into bugs", "Bug", "Type", "Times#", "Fingerprint")
    for bug in keeper.ask(f"errors/groups?period={period}")["groups"]:
        what, kind = bug.get("sample_message", ""), bug.get("sample_type", "")
        table.add_row(what, kind, f"{bug['count']:,}", bug["fingerprint"])
    return table


def _money(keeper: Shopkeeper, period: str) -> Table:
    table = _table("Revenue", "Currency", "Amount#", "Events#")
    for row in keeper.ask(f"revenue?period={period}"):
        table.add_row(row["currency"], row["amount"], f"{row['events']:,}")
    return table


def _customers(keeper: Shopkeeper, period: str) -> Table:
    told = keeper.ask(f"revenue/summary?period={period}")
    table = _table("Customers", "Customers#", "Orders#", "MRR#")
    mrr = "" if told["mrr"] is None else f"{told['currency']} {told['mrr']:,.2f}"
    table.add_row(f"{told['customers']:,}", f"{told['orders']:,}", mrr)
    return table


def _table(title: str, *headings: str) -> Table:
    """Return an empty table; a heading that ends in `#` is over numbers."""
    table = Table(title=title, title_justify="left")
    for heading in headings:
        is_number = heading.endswith("#")
        table.add_column(heading.rstrip("#"), justify="right" if is_number else "left")
    return table
