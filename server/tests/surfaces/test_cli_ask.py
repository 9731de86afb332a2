"""`clamp ask`, as a person and as a program types it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from tests.make import event, view

from clamp_server.cli import main
from clamp_server.cli.ask import ASKABLE
from clamp_server.clock import now
from clamp_server.model.event import EnrichedEvent, Page
from clamp_server.model.ids import ProjectId
from clamp_server.store.catalog import Catalog
from clamp_server.store.on_duckdb import DuckDBStore

Clamp = Callable[..., tuple[int, str, str]]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def clamp(
    data: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Clamp:
    """The real command on a data directory of its own: exit code, out, err."""
    monkeypatch.setenv("CLAMP_DATA", str(data))
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["clamp", *arguments])
        with pytest.raises(SystemExit) as exit_:
            main()
        printed = capsys.readouterr()
        return int(exit_.value.code or 0), printed.out, printed.err

    return run


def made(clamp: Clamp, name: str = "Shop") -> ProjectId:
    """Make a project and return its id."""
    _, printed, _ = clamp("project", "create", name, "--json")
    return ProjectId(json.loads(printed)["project_id"])


def stored(data: Path, *events: EnrichedEvent) -> None:
    store = DuckDBStore(data / "events.duckdb")
    store.append(events)
    store.close()


def test_an_answer_is_json_for_programs(clamp: Clamp, data: Path) -> None:
    project_id = made(clamp)
    stored(data, view("ann", now(), "/ü", project_id=project_id))

    code, printed, complaint = clamp(
        "ask", "traffic.breakdown", "--dimension=pathname", "--limit", "5", "--json"
    )

    assert (code, json.loads(printed), complaint) == (
        0,
        [{"name": "/ü", "pageviews": 1, "visitors": 1}],
        "",
    )


def test_an_answer_is_a_table_for_people(clamp: Clamp, data: Path) -> None:
    project_id = made(clamp)
    page = Page(pathname="/[bold]a")
    stored(data, *(view("ann", now(), page=page, project_id=project_id) for _ in "12"))

    _, printed, _ = clamp("ask", "traffic.breakdown", "--dimension", "pathname")

    assert [line.split() for line in printed.splitlines()] == [
        ["name", "pageviews", "visitors"],
        ["/[bold]a", "2", "1"],
    ]


def test_figures_within_figures_and_lists_have_tables_too(
    clamp: Clamp, data: Path
) -> None:
    project_id = made(clamp)
    stored(data, view("ann", now(), project_id=project_id))

    overview = clamp("ask", "traffic.overview", "--period", "7d")[1]
    realtime = clamp("ask", "traffic.realtime", "--window-minutes", "60")[1]

    assert ["comparison.visitors.change", "New"] in [
        line.split() for line in overview.splitlines()
    ]
    assert [line.split() for line in realtime.splitlines()] == [
        ["name", "value"],
        ["window_minutes", "60"],
        ["visitors", "1"],
        ["pageviews", "1"],
        [],
        ["top_pages"],
        ["name", "pageviews", "visitors"],
        ["/", "1", "1"],
    ]


def test_nothing_is_said_to_be_nothing(clamp: Clamp) -> None:
    made(clamp)

    assert clamp("ask", "revenue.list") == (0, "Nothing.\n", "")


def test_what_is_saved_can_be_asked_too(clamp: Clamp, data: Path) -> None:
    project_id = made(clamp)
    stored(data, view("ann", now() - timedelta(minutes=1), project_id=project_id))
    catalog = Catalog(f"sqlite:///{data / 'catalog.sqlite'}", now, lambda: "x" * 43)
    catalog.save_funnel(project_id, "f", ("pageview:/", "signup"))
    catalog.close()

    funnel = json.loads(clamp("ask", "funnels.list", "--name", "f", "--json")[1])
    unknown = clamp("ask", "cohorts.retention", "--name", "x")

    assert [step["count"] for step in funnel["steps"]] == [1, 0]
    assert unknown == (1, "", "clamp: name: there is no cohort 'x' in this project\n")


def test_one_of_several_projects_is_named(clamp: Clamp, data: Path) -> None:
    shop, other = made(clamp), made(clamp, "Other")
    at = now() - timedelta(minutes=1)
    stored(data, event(at=at, project_id=shop), event("x", at, project_id=other))

    _, printed, _ = clamp("ask", "events.list", "--project", other, "--json")

    assert [row["name"] for row in json.loads(printed)] == ["x"]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (
            ["traffic.everything"],
            f"there is no question 'traffic.everything'; there are"
            f" {', '.join(ASKABLE)}",
        ),
        (
            ["traffic.realtime", "--country", "DE"],
            "country: there is no such parameter here; allowed are window_minutes",
        ),
        (
            ["traffic.realtime", "--window-minutes", "90"],
            "window_minutes: must be a whole number from 1 to 60; got '90'",
        ),
        (["traffic.realtime", "--window-minutes"], "--window-minutes needs a value"),
        (
            ["traffic.realtime", "5"],
            "'5' is no option: a parameter is --NAME VALUE",
        ),
        (
            ["traffic.realtime", "--project", "proj_x"],
            "there is no project 'proj_x'; `clamp project list` shows them",
        ),
    ],
)
def test_what_cannot_be_asked_is_one_line_that_says_why(
    clamp: Clamp, arguments: list[str], complaint: str
) -> None:
    made(clamp)

    assert clamp("ask", *arguments) == (1, "", f"clamp: {complaint}\n")


@pytest.mark.parametrize(
    ("names", "complaint"),
    [
        ([], "there is no project yet: clamp project create NAME"),
        (
            ["A", "B"],
            "say which project with --project; `clamp project list` shows them",
        ),
    ],
)
def test_without_one_project_alone_it_has_to_be_said(
    clamp: Clamp, names: list[str], complaint: str
) -> None:
    for name in names:
        made(clamp, name)

    assert clamp("ask", "events.list") == (1, "", f"clamp: {complaint}\n")
