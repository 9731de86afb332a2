"""The registry against the reference that people read."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.questions import shape

from clamp_server.model.dimension import DIMENSIONS
from clamp_server.questions.registry import QUESTIONS, AnyQuestion

REFERENCE = Path(__file__).parents[3] / "docs" / "reference" / "analytics.md"
SECTIONS = {
    section.partition("\n")[0]: section
    for section in REFERENCE.read_text("utf-8").split("\n## ")[1:]
}
SHAPES: dict[str, list[Any]] = {
    "traffic.overview": [shape.Overview],
    "traffic.timeseries": [list[shape.Point]],
    "traffic.compare": [shape.Compared],
    "traffic.breakdown": [list[shape.HostShare]],
    "traffic.session_paths": [list[shape.SessionPath]],
    "traffic.engagement": [
        list[shape.PageViews],
        list[shape.PageReading],
        list[shape.SectionViews],
    ],
    "traffic.realtime": [shape.Realtime],
    "events.list": [
        list[shape.EventTotal],
        list[shape.ComparedTotal],
        list[shape.NamedCount],
        list[shape.GroupCount],
    ],
    "events.observed_schema": [shape.ObservedSchema],
    "events.property_values": [shape.PropertyValues],
    "users.journey": [shape.Journey],
    "revenue.list": [list[shape.GroupedRevenue]],
    "revenue.summary": [shape.RevenueSummary],
    "revenue.timeseries": [list[shape.MoneyPoint]],
    "revenue.retention": [shape.RevenueRetention],
    "errors.list": [shape.Errors],
    "errors.groups": [shape.ErrorGroups],
    "errors.timeline": [shape.ErrorTimeline],
    "errors.context": [shape.ErrorContext],
    "search.queries": [list[shape.SearchQuery]],
    "search.landing_pages": [list[shape.LandingPage]],
    "Whose key is this": [shape.Bootstrap],
}
each_question = pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS)


def expected_rows(question: AnyQuestion) -> list[str]:
    own = [p for p in question.parameters if p.name not in DIMENSIONS]
    filters = [p for p in question.parameters if p.name in DIMENSIONS]
    all_sixteen = len(filters) == len(DIMENSIONS)
    rows = [
        f"| `{p.name}` | {p.allowed} |{f' `{p.default}` ' if p.default else ' '}|"
        for p in (own if all_sixteen else question.parameters)
    ]
    return [*rows, "| [filters](#filters) | any text | |"] if all_sixteen else rows


def test_every_question_has_its_own_name_and_path() -> None:
    asked = [*QUESTIONS.values()]

    assert [
        [*QUESTIONS],
        len({question.path for question in asked}),
        all(re.fullmatch(r"[a-z]+\.[a-z_]+", question.name) for question in asked),
    ] == [[question.name for question in asked], len(asked), True]


def test_the_reference_has_every_question_in_order() -> None:
    assert [title for title in SECTIONS if "." in title] == [*QUESTIONS]


@each_question
def test_the_reference_tells_path_and_meaning(question: AnyQuestion) -> None:
    assert SECTIONS[question.name].split("\n\n")[1:3] == [
        f"`GET /analytics/{{project_id}}{question.path}`",
        question.meaning,
    ]


@each_question
def test_the_reference_tells_every_parameter(question: AnyQuestion) -> None:
    _, _, table = SECTIONS[question.name].partition("| --- | --- | --- |\n")

    assert table.partition("\n\n")[0].split("\n") == expected_rows(question)


def test_the_reference_tells_every_filter() -> None:
    _, _, listed = SECTIONS["Filters"].partition("any combination:")

    names = re.findall(r"`([a-z_]+)`", listed.partition("\n\n")[0])
    assert names == [*DIMENSIONS]


@pytest.mark.parametrize("title", SHAPES)
def test_the_examples_of_the_reference_have_the_shape_of_the_contract(
    title: str,
) -> None:
    examples = re.findall(r"```json\n(.*?)```", SECTIONS[title], re.DOTALL)

    assert len(examples) == len(SHAPES[title])
    for example, expected in zip(examples, SHAPES[title], strict=True):
        decoded = msgspec.json.decode(example, type=expected)
        assert msgspec.to_builtins(decoded) == msgspec.json.decode(example)
