"""`clamp geo`: the offline database of places."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated

import typer

from clamp_server.cli.terminal import Data, out
from clamp_server.config import Settings, data_directory
from clamp_server.ingest.enrich.place import check_database

app = typer.Typer(help="Choose the offline database that turns addresses into places.")


@app.command()
def install(
    file: Annotated[
        Path,
        typer.Argument(help="A MaxMind DB file: country or city.", dir_okay=False),
    ],
    data: Data = None,
) -> None:
    """Use FILE for places instead of the built-in countries, from the next start."""
    description = check_database(file)
    settings = Settings(data=data_directory(data))
    settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    # Copied beside and moved over, so that a crash never leaves half a file.
    arriving = settings.geo_path.with_suffix(".arriving")
    shutil.copyfile(file, arriving)
    arriving.replace(settings.geo_path)
    out.print(f"Installed {description}", highlight=False)
    out.print("A running server takes it at its next start.")
