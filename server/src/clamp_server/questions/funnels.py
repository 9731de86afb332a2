"""Saved funnels: made, evaluated, deleted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from clamp_server.errors import InvalidRequestError
from clamp_server.model.funnel import (
    ALLOWED_FUNNEL_NAMES,
    ALLOWED_STEP,
    FEWEST_STEPS,
    MOST_STEPS,
    Funnel,
    check_funnel_name,
    decode_step,
)
from clamp_server.model.scope import Scope
from clamp_server.questions.funnel_depth import (
    FunnelParams,
    read_counts,
    select_depths,
)
from clamp_server.questions.parameter import FILTERS, PERIOD, Query, Text, read_scope
from clamp_server.questions.proportion import percent
from clamp_server.questions.saved import Deleted, Desk, SavedEntry, checked

ALLOWED_STEPS = f"{FEWEST_STEPS} to {MOST_STEPS} texts, each with {ALLOWED_STEP}"
NAME = Text("name", "the name of a saved funnel")


class FunnelBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A funnel to save."""

    name: str
    steps: list[str]


@dataclass(frozen=True, slots=True)
class FunnelStep:
    """One step of an evaluated funnel.

    Attributes:
        count: Distinct visitors who got here.
        rate: Their share of the step before, such as `57.1%`.
    """

    name: str
    count: int
    rate: str


@dataclass(frozen=True, slots=True)
class EvaluatedFunnel:
    """A funnel, and how far visitors got in a period."""

    id: str
    name: str
    steps: list[FunnelStep]
    overall_conversion: str
    period: str


def create_funnel(desk: Desk, _: Query, body: FunnelBody) -> EvaluatedFunnel:
    """Save a funnel and evaluate it for 30 days."""
    checked("name", check_funnel_name, body.name)
    if not FEWEST_STEPS <= len(body.steps) <= MOST_STEPS:
        raise InvalidRequestError(
            f"steps: must be {ALLOWED_STEPS}; got {len(body.steps)}"
        )
    for place, step in enumerate(body.steps):
        checked(f"steps[{place}]", decode_step, step)
    scope = _scope(desk, {})
    # First: what cannot be answered is not saved either, and may be sent again.
    counts = _counts(desk, body.steps, scope)
    funnel = desk.catalog.save_funnel(desk.project.id, body.name, tuple(body.steps))
    return _evaluated(funnel, counts, scope)


def list_funnels(
    desk: Desk, query: Query, _: None
) -> list[EvaluatedFunnel] | EvaluatedFunnel:
    """Evaluate every saved funnel, or the one that is named."""
    scope = _scope(desk, query)
    if name := NAME.read(query):
        funnel = desk.catalog.funnel(desk.project.id, name)
        return _evaluated(funnel, _counts(desk, funnel.steps, scope), scope)
    return [
        _evaluated(funnel, _counts(desk, funnel.steps, scope), scope)
        for funnel in desk.catalog.funnels(desk.project.id)
    ]


def delete_funnel(desk: Desk, query: Query, _: None) -> Deleted:
    """Delete the funnel that is named."""
    desk.catalog.delete_funnel(desk.project.id, NAME.read(query))
    return Deleted()


def _scope(desk: Desk, query: Query) -> Scope:
    return read_scope(query, desk.project, desk.now, leaves_out_bots=True)


def _counts(desk: Desk, steps: Sequence[str], scope: Scope) -> list[int]:
    """Count the visitors who got to each step."""
    params = FunnelParams([decode_step(text) for text in steps], scope)
    rows = desk.store.rows(select_depths(params, desk.store.dialect))
    return read_counts(params, rows)


def _evaluated(funnel: Funnel, counts: Sequence[int], scope: Scope) -> EvaluatedFunnel:
    return EvaluatedFunnel(
        id=funnel.id,
        name=funnel.name,
        steps=[
            FunnelStep(text, count, f"{percent(count, before)}%")
            for text, count, before in zip(
                funnel.steps, counts, [counts[0], *counts], strict=False
            )
        ],
        overall_conversion=f"{percent(counts[-1], counts[0])}%",
        period=scope.period.text,
    )


funnels_create = SavedEntry(
    name="funnels.create",
    method="POST",
    path="/funnels",
    meaning="Saves a funnel, and evaluates it for 30 days.",
    body=FunnelBody,
    fields={"name": ALLOWED_FUNNEL_NAMES, "steps": ALLOWED_STEPS},
    run=create_funnel,
)
funnels_list = SavedEntry(
    name="funnels.list",
    method="GET",
    path="/funnels",
    meaning="How far visitors get in every saved funnel, or in one.",
    parameters=(NAME, PERIOD, *FILTERS),
    run=list_funnels,
)
funnels_delete = SavedEntry(
    name="funnels.delete",
    method="DELETE",
    path="/funnels/{name}",
    meaning="Deletes a saved funnel.",
    parameters=(NAME,),
    run=delete_funnel,
)
