"""The registry of what is saved against the reference that people read."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.questions.shape import Exact

from clamp_server.model.dimension import DIMENSIONS
from clamp_server.questions.saved_registry import SAVED, AnyEntry

REFERENCE = Path(__file__).parents[3] / "docs" / "reference" / "saved.md"
SECTIONS = {
    section.partition("\n")[0]: section
    for section in REFERENCE.read_text("utf-8").split("\n## ")[1:]
}


class Ok(Exact):
    ok: bool


class Step(Exact):
    name: str
    count: int
    rate: str


class Funnel(Exact):
    id: str
    name: str
    steps: list[Step]
    overall_conversion: str
    period: str


class Filter(Exact):
    property: str
    value: str


class Definition(Exact, omit_defaults=True):
    event: str
    period: str
    filter: Filter | None = None


class NewCohort(Exact):
    id: str
    name: str
    definition: Definition
    size: int


class Cohort(NewCohort):
    created_at: str


class Retained(Exact):
    period: str
    retained: int
    rate: float


class Retention(Exact):
    cohort: str
    size: int
    retention: list[Retained]


class Compared(Exact):
    cohorts: list[Retention]


class Alert(Exact):
    id: str
    metric: str
    condition: str
    threshold: float
    period: str
    pathname: str | None
    created_at: str


SHAPES: dict[str, Any] = {
    "funnels.create": Funnel,
    "funnels.delete": Ok,
    "cohorts.create": NewCohort,
    "cohorts.list": Cohort,
    "cohorts.retention": Retention,
    "cohorts.compare": Compared,
    "cohorts.delete": Ok,
    "alerts.create": Alert,
    "alerts.delete": Ok,
}
each_entry = pytest.mark.parametrize("entry", SAVED.values(), ids=SAVED)


def expected_rows(entry: AnyEntry) -> list[str]:
    own = [p for p in entry.parameters if p.name not in DIMENSIONS]
    rows = [f"| `{name}` | {allowed} |" for name, allowed in entry.fields.items()]
    rows += [
        f"| `{p.name}` | {p.allowed}{f'; `{p.default}` if absent' * bool(p.default)} |"
        for p in own
    ]
    if len(own) < len(entry.parameters):
        rows.append("| [filters](analytics.md#filters) | any text |")
    return rows


def test_every_entry_has_its_own_name_method_and_path() -> None:
    entries = [*SAVED.values()]

    assert [entry.name for entry in entries] == [*SAVED]
    assert len({(entry.method, entry.path) for entry in entries}) == len(entries)


def test_the_reference_has_every_entry_in_order() -> None:
    assert [title for title in SECTIONS if "." in title] == [*SAVED]


@each_entry
def test_the_reference_tells_path_and_meaning(entry: AnyEntry) -> None:
    assert SECTIONS[entry.name].split("\n\n")[1:3] == [
        f"`{entry.method} /analytics/{{project_id}}{entry.path}`",
        entry.meaning,
    ]


@each_entry
def test_the_reference_tells_every_field_and_parameter(entry: AnyEntry) -> None:
    _, _, table = SECTIONS[entry.name].partition("| --- | --- |\n")

    rows = table.partition("\n\n")[0].split("\n") if table else []
    assert rows == expected_rows(entry)


@each_entry
def test_every_name_in_a_path_is_a_parameter(entry: AnyEntry) -> None:
    in_path = re.findall(r"\{(\w+)\}", entry.path)

    assert {*in_path} <= {parameter.name for parameter in entry.parameters}


@pytest.mark.parametrize("title", SHAPES)
def test_the_examples_of_the_reference_have_the_shape_of_the_contract(
    title: str,
) -> None:
    (example,) = re.findall(r"```json\n(.*?)```", SECTIONS[title], re.DOTALL)

    decoded = msgspec.json.decode(example, type=SHAPES[title])
    assert msgspec.to_builtins(decoded) == msgspec.json.decode(example)
