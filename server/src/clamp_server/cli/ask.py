"""`clamp ask`: any question of the read API, on this machine's data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.markup import escape

from clamp_server.app import open_store
from clamp_server.cli.answer_table import answer_tables
from clamp_server.cli.terminal import (
    Data,
    Json,
    Store,
    catalog,
    out,
    print_json,
    print_table,
)
from clamp_server.clock import now
from clamp_server.config import Settings, data_directory, event_store_url
from clamp_server.errors import ConfigError
from clamp_server.model.project import Project
from clamp_server.questions.ask import Question
from clamp_server.questions.ask import ask as ask_store
from clamp_server.questions.parameter import Query, read_query
from clamp_server.questions.registry import QUESTIONS, AnyQuestion
from clamp_server.questions.saved import Desk
from clamp_server.questions.saved_registry import SAVED, AnyEntry
from clamp_server.store.sql import EventStore

# What the question takes is read from its own parameters and not by typer.
FREE_OPTIONS = {"allow_extra_args": True, "ignore_unknown_options": True}
# What only asks; saving and deleting have no options that could be typed.
ASKABLE: Mapping[str, AnyQuestion | AnyEntry] = {
    **QUESTIONS,
    **{name: entry for name, entry in SAVED.items() if entry.method == "GET"},
}


def ask(
    context: typer.Context,
    question: Annotated[
        str, typer.Argument(help=f"One of {', '.join(ASKABLE)}.", metavar="QUESTION")
    ],
    project: Annotated[
        str | None,
        typer.Option(
            help="Whose events.", metavar="PROJECT_ID", show_default="the only one"
        ),
    ] = None,
    data: Data = None,
    store: Store = None,
    json: Json = False,
) -> None:
    """Ask QUESTION, with its parameters as options: --period 7d --country DE.

    DuckDB lets one process at its file: a server that runs is asked over HTTP.
    """
    asked = _question(question)
    query = read_query(_pairs(context.args), asked.parameters)
    with catalog(data) as kept:
        whose = _project(kept.projects(), project)
        with _opened(data, store) as opened:
            desk = Desk(opened, kept, whose, now())
            answer = msgspec.to_builtins(_answer(asked, query, desk))
    if json:
        print_json(answer)
    else:
        _print(answer)


@contextmanager
def _opened(data: Path | None, url: str | None) -> Iterator[EventStore]:
    settings = Settings(data=data_directory(data), store_url=event_store_url(url))
    store = open_store(settings)
    try:
        yield store
    finally:
        store.close()


def _answer(asked: AnyQuestion | AnyEntry, query: Query, desk: Desk) -> object:
    if isinstance(asked, Question):
        params = asked.read_params(query, desk.project, desk.now)
        return ask_store(desk.store, asked, params)
    return asked.run(desk, query, None)


def _question(name: str) -> AnyQuestion | AnyEntry:
    if name not in ASKABLE:
        raise ConfigError(
            f"there is no question {name[:50]!r}; there are {', '.join(ASKABLE)}"
        )
    return ASKABLE[name]


def _project(projects: Sequence[Project], chosen: str | None) -> Project:
    found = [one for one in projects if chosen in (None, one.id)]
    if len(found) == 1:
        return found[0]
    if chosen is not None:
        raise ConfigError(
            f"there is no project {chosen[:50]!r}; `clamp project list` shows them"
        )
    raise ConfigError(
        "say which project with --project; `clamp project list` shows them"
        if found
        else "there is no project yet: clamp project create NAME"
    )


def _pairs(arguments: Sequence[str]) -> list[tuple[str, str]]:
    """Read `--limit 5` and `--limit=5` as what a query says, `limit=5`."""
    pairs: list[tuple[str, str]] = []
    rest = iter(arguments)
    for argument in rest:
        if not argument.startswith("--"):
            raise ConfigError(
                f"{argument[:50]!r} is no option: a parameter is --NAME VALUE"
            )
        name, found, value = argument[2:].partition("=")
        if not found:
            try:
                value = next(rest)
            except StopIteration:
                raise ConfigError(f"--{name[:50]} needs a value") from None
        pairs.append((name.replace("-", "_"), value))
    return pairs


def _print(answer: Any) -> None:
    tables = answer_tables(answer)
    for table in tables:
        if table.title:
            out.print(f"\n[bold]{escape(table.title)}[/bold]", highlight=False)
        rows = [
            {name: escape(text) for name, text in row.items()} for row in table.rows
        ]
        print_table(table.headings, rows)
    if not tables:
        out.print("Nothing.")
