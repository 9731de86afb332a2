"""What revenue can be asked with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias, get_args

from clamp_server.errors import InvalidRequestError
from clamp_server.model.project import Project
from clamp_server.model.scope import Scope
from clamp_server.questions.parameter import (
    LIMIT,
    Choice,
    Query,
    Text,
    read_scope,
)

Grouping: TypeAlias = Literal[
    "",
    "referrer_host",
    "channel",
    "country",
    "device_type",
    "pathname",
    "utm_source",
    "utm_medium",
    "utm_campaign",
    "plan",
    "product",
]
GROUPINGS: tuple[Grouping, ...] = get_args(Grouping)
Attribution: TypeAlias = Literal["last_touch", "first_touch"]
ATTRIBUTIONS: tuple[Attribution, ...] = get_args(Attribution)
Touched: TypeAlias = Literal[
    "channel",
    "referrer_host",
    "utm_source",
    "utm_medium",
    "utm_campaign",
    "utm_content",
    "utm_term",
]
TOUCHED: tuple[Touched, ...] = get_args(Touched)

EVENT = Text("event", "an event's name")
PROPERTY = Text("property", "the key of one money property; without it, all count")
GROUP_BY: Choice[Grouping] = Choice("group_by", GROUPINGS, default="")
PLAN = Text("plan", "the text property `plan`")
PRODUCT = Text("product", "the text property `product`, else the event's name")
ATTRIBUTION_MODEL: Choice[Attribution] = Choice(
    "attribution_model", ATTRIBUTIONS, default="last_touch"
)
FIRST_TOUCH_DIM: Choice[Touched | Literal[""]] = Choice(
    "first_touch_dim", ("", *TOUCHED), default=""
)
FIRST_TOUCH_VALUE = Text("first_touch_value", "what the payer's first visit had there")


@dataclass(frozen=True, slots=True, kw_only=True)
class RevenueParams:
    """What `revenue.list` can be asked with; an empty text asks for all.

    Attributes:
        first_group: What to group by of the payer's first visit; then
            `group_by` is empty.
        first_touch: What the payer's first visit must have had.
    """

    scope: Scope
    limit: int = 10
    event: str = ""
    property: str = ""
    group_by: Grouping = ""
    first_group: Touched | None = None
    first_touch: tuple[Touched, str] | None = None
    plan: str = ""
    product: str = ""


def read_revenue_params(query: Query, project: Project, now: datetime) -> RevenueParams:
    """Read the parameters of `revenue.list`."""
    group_by = GROUP_BY.read(query)
    first_group = _first_group(query, group_by)
    return RevenueParams(
        scope=read_scope(query, project, now),
        limit=LIMIT.read(query),
        event=EVENT.read(query),
        property=PROPERTY.read(query),
        group_by="" if first_group else group_by,
        first_group=first_group,
        first_touch=_first_touch(query),
        plan=PLAN.read(query),
        product=PRODUCT.read(query),
    )


def _first_group(query: Query, group_by: Grouping) -> Touched | None:
    if ATTRIBUTION_MODEL.read(query) == "last_touch":
        return None
    for name in TOUCHED:
        if name == group_by:
            return name
    allowed = [name for name in TOUCHED if name in GROUPINGS]
    raise InvalidRequestError(
        "attribution_model: first_touch needs group_by to be one of"
        f" {', '.join(allowed)}; got {group_by!r}"
    )


def _first_touch(query: Query) -> tuple[Touched, str] | None:
    dimension, value = FIRST_TOUCH_DIM.read(query), FIRST_TOUCH_VALUE.read(query)
    if dimension and value:
        return dimension, value
    if dimension:
        raise InvalidRequestError(
            "first_touch_value: missing; first_touch_dim needs it"
        )
    if value:
        raise InvalidRequestError(
            "first_touch_dim: missing; first_touch_value needs it"
        )
    return None
