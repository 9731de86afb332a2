"""Saved cohorts: made, sized, followed over days, compared, deleted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from clamp_server.errors import InvalidRequestError
from clamp_server.model.cohort import (
    ALLOWED_COHORT_NAMES,
    ALLOWED_DAYS,
    Cohort,
    CohortDefinition,
    CohortFilter,
    DaysAfter,
    check_cohort_name,
    decode_days_after,
)
from clamp_server.model.funnel import PredicateValue
from clamp_server.model.instant import encode_instant
from clamp_server.model.period import ALLOWED_PERIODS, decode_period
from clamp_server.questions.cohort_days import (
    CohortParams,
    read_days,
    read_size,
    select_days,
    select_size,
)
from clamp_server.questions.parameter import MOST_CHARACTERS, Query, Text
from clamp_server.questions.proportion import percent
from clamp_server.questions.saved import Deleted, Desk, SavedEntry, checked

FEWEST_COMPARED, MOST_COMPARED = 2, 10
NAME = Text("name", "the name of a saved cohort")
NAMES = Text(
    "names",
    f"{FEWEST_COMPARED} to {MOST_COMPARED} names of saved cohorts, comma-separated",
)
PERIODS = Text("periods", ALLOWED_DAYS, default="1d,7d,14d,30d")
ALLOWED_TEXT = f"a text of 1 to {MOST_CHARACTERS} characters"


class FilterBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A property that the event must have."""

    property: str
    value: PredicateValue


class DefinitionBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What makes somebody a member."""

    event: str
    period: str
    filter: FilterBody | None = None


class CohortBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A cohort to save."""

    name: str
    definition: DefinitionBody


class Definition(msgspec.Struct, frozen=True, omit_defaults=True):
    """A definition as answers write it; without a filter it has no such field."""

    event: str
    period: str
    filter: CohortFilter | None = None


@dataclass(frozen=True, slots=True)
class NewCohort:
    """A cohort at its making."""

    id: str
    name: str
    definition: Definition
    size: int


@dataclass(frozen=True, slots=True)
class SavedCohort:
    """A cohort as lists have it."""

    id: str
    name: str
    definition: Definition
    size: int
    created_at: str


@dataclass(frozen=True, slots=True)
class Retained:
    """The members who were active on one day after their anchor.

    Attributes:
        rate: Their share of all members, in percent.
    """

    period: str
    retained: int
    rate: float


@dataclass(frozen=True, slots=True)
class Retention:
    """A cohort, and how many of it came back."""

    cohort: str
    size: int
    retention: list[Retained]


@dataclass(frozen=True, slots=True)
class ComparedCohorts:
    """Several cohorts side by side."""

    cohorts: list[Retention]


def create_cohort(desk: Desk, _: Query, body: CohortBody) -> NewCohort:
    """Save a cohort, and say how many are in it."""
    checked("name", check_cohort_name, body.name)
    definition = _definition(body.definition)
    # First: what cannot be answered is not saved either, and may be sent again.
    size = _size(desk, _params(desk, definition))
    cohort = desk.catalog.save_cohort(desk.project.id, body.name, definition)
    return NewCohort(cohort.id, cohort.name, _shown(definition), size)


def list_cohorts(desk: Desk, query: Query, _: None) -> list[SavedCohort] | SavedCohort:
    """Return every saved cohort, or the one that is named."""
    if name := NAME.read(query):
        return _saved(desk, desk.catalog.cohort(desk.project.id, name))
    return [_saved(desk, cohort) for cohort in desk.catalog.cohorts(desk.project.id)]


def cohort_retention(desk: Desk, query: Query, _: None) -> Retention:
    """Return how many members were active on each day after their anchor."""
    days = _days(query)
    cohort = desk.catalog.cohort(desk.project.id, NAME.read(query))
    return _retention(desk, cohort, days)


def compare_cohorts(desk: Desk, query: Query, _: None) -> ComparedCohorts:
    """Return the retention of several cohorts, in the order of their names."""
    names = [*dict.fromkeys(filter(None, NAMES.read(query).split(",")))]
    if not FEWEST_COMPARED <= len(names) <= MOST_COMPARED:
        raise InvalidRequestError(
            f"names: must be {NAMES.allowed}; got {len(names)} different"
        )
    days = _days(query)
    cohorts = [desk.catalog.cohort(desk.project.id, name) for name in names]
    return ComparedCohorts([_retention(desk, cohort, days) for cohort in cohorts])


def delete_cohort(desk: Desk, query: Query, _: None) -> Deleted:
    """Delete the cohort that is named."""
    desk.catalog.delete_cohort(desk.project.id, NAME.read(query))
    return Deleted()


def _definition(body: DefinitionBody) -> CohortDefinition:
    texts = {"definition.event": body.event}
    wanted = None
    if body.filter is not None:
        wanted = CohortFilter(body.filter.property, body.filter.value)
        texts["definition.filter.property"] = body.filter.property
    for name, text in texts.items():
        if not 1 <= len(text) <= MOST_CHARACTERS:
            raise InvalidRequestError(
                f"{name}: must be {ALLOWED_TEXT}; got {len(text)} characters"
            )
    return CohortDefinition(body.event, body.period, wanted)


def _params(desk: Desk, definition: CohortDefinition) -> CohortParams:
    zone = ZoneInfo(desk.project.time_zone)
    period = checked(
        "definition.period",
        lambda text: decode_period(text, zone, desk.now),
        definition.period,
    )
    return CohortParams(
        project_id=desk.project.id,
        definition=definition,
        period=period,
        zone=zone,
        until=max(period.end, _soon(desk.now)),
    )


def _soon(now: datetime) -> datetime:
    # An event of this very millisecond was acknowledged before the question.
    return now + timedelta(milliseconds=1)


def _size(desk: Desk, params: CohortParams) -> int:
    return read_size(desk.store.rows(select_size(params, desk.store.dialect)))


def _saved(desk: Desk, cohort: Cohort) -> SavedCohort:
    return SavedCohort(
        id=cohort.id,
        name=cohort.name,
        definition=_shown(cohort.definition),
        size=_size(desk, _params(desk, cohort.definition)),
        created_at=encode_instant(cohort.created_at),
    )


def _shown(definition: CohortDefinition) -> Definition:
    return Definition(definition.event, definition.period, definition.filter)


def _days(query: Query) -> tuple[DaysAfter, ...]:
    given = PERIODS.read(query) or PERIODS.default
    return checked("periods", decode_days_after, given)


def _retention(desk: Desk, cohort: Cohort, days: Sequence[DaysAfter]) -> Retention:
    params = _params(desk, cohort.definition)
    size = _size(desk, params)
    found = read_days(desk.store.rows(select_days(params, desk.store.dialect)))
    retained = [(day.text, found.get(day.days, 0)) for day in days]
    return Retention(
        cohort=cohort.name,
        size=size,
        retention=[
            Retained(text, members, percent(members, size))
            for text, members in retained
        ],
    )


cohorts_create = SavedEntry(
    name="cohorts.create",
    method="POST",
    path="/cohorts",
    meaning="Saves a cohort, and says how many are in it.",
    body=CohortBody,
    fields={
        "name": ALLOWED_COHORT_NAMES,
        "definition": "an object with event, period and perhaps filter",
        "definition.event": ALLOWED_TEXT,
        "definition.period": ALLOWED_PERIODS,
        "definition.filter": "an object with property and value, or nothing",
        "definition.filter.property": ALLOWED_TEXT,
        "definition.filter.value": "a text, a number, true or false",
    },
    run=create_cohort,
)
cohorts_list = SavedEntry(
    name="cohorts.list",
    method="GET",
    path="/cohorts",
    meaning="Every saved cohort with its size, or one.",
    parameters=(NAME,),
    run=list_cohorts,
)
cohorts_retention = SavedEntry(
    name="cohorts.retention",
    method="GET",
    path="/cohorts/{name}/retention",
    meaning="How many of a cohort were active again so many days later.",
    parameters=(NAME, PERIODS),
    run=cohort_retention,
)
cohorts_compare = SavedEntry(
    name="cohorts.compare",
    method="GET",
    path="/cohorts/compare",
    meaning="The retention of several cohorts, side by side.",
    parameters=(NAMES, PERIODS),
    run=compare_cohorts,
)
cohorts_delete = SavedEntry(
    name="cohorts.delete",
    method="DELETE",
    path="/cohorts/{name}",
    meaning="Deletes a saved cohort.",
    parameters=(NAME,),
    run=delete_cohort,
)
