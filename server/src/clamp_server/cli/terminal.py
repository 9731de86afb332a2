"""What every subcommand shares: its options, the catalog, and how it prints."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, TypeAlias

import typer
from rich.console import Console
from rich.table import Table

from clamp_server.app import open_catalog
from clamp_server.config import Settings, data_directory
from clamp_server.store.catalog import Catalog

Data: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        help="Directory of everything that is kept.",
        show_default="$CLAMP_DATA, else ./clamp-data",
        metavar="DIR",
    ),
]
Store: TypeAlias = Annotated[
    str | None,
    typer.Option(
        help="Where events are kept: duckdb, or"
        " clickhouse[s]://USER:PASSWORD@HOST:PORT/DATABASE. A password is better kept"
        " in $CLAMP_STORE than on a command line.",
        show_default="$CLAMP_STORE, else duckdb, in the data directory",
        metavar="URL",
    ),
]
Json: TypeAlias = Annotated[
    bool, typer.Option("--json", help="Print JSON, for programs.")
]

out = Console()
err = Console(stderr=True)


@contextmanager
def catalog(data: Path | None) -> Iterator[Catalog]:
    """Open the catalog of a data directory; the directory is made when missing."""
    opened = open_catalog(Settings(data=data_directory(data)))
    try:
        yield opened
    finally:
        opened.close()


def print_json(value: object) -> None:
    """Print one JSON document, and nothing a terminal would colour."""
    json.dump(value, sys.stdout, indent=2 if sys.stdout.isatty() else None)
    sys.stdout.write("\n")


def print_table(headings: Sequence[str], rows: Sequence[Mapping[str, str]]) -> None:
    """Print one row a mapping, under headings that name its keys."""
    table = Table(*headings, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*(row[heading] for heading in headings))
    out.print(table)
