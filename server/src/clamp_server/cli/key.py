"""`clamp key`: the API keys of a project."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from clamp_server.cli.terminal import Data, Json, catalog, out, print_json, print_table
from clamp_server.model.ids import KeyId, ProjectId
from clamp_server.model.project import Key

app = typer.Typer(help="Make API keys, list them, revoke them.")

OfProject = Annotated[str, typer.Argument(help="The project's id, proj_...")]


@app.command()
def create(project_id: OfProject, data: Data = None, json: Json = False) -> None:
    """Make a key and print it: it is shown this once and kept only as a hash."""
    with catalog(data) as kept:
        made = kept.create_key(ProjectId(project_id))
    if json:
        print_json({"key_id": made.key.id, "api_key": made.api_key})
    else:
        out.print(f"Key [bold]{made.key.id}[/bold]", highlight=False)
        # Written as it is, so that no terminal width can break it in two.
        out.print(made.api_key, soft_wrap=True, highlight=False)
        out.print("It is shown this once: put it where the application reads it.")


@app.command(name="list")
def list_(project_id: OfProject, data: Data = None, json: Json = False) -> None:
    """List a project's keys, by their last four characters."""
    with catalog(data) as kept:
        keys = kept.keys(ProjectId(project_id))
    if json:
        print_json([_as_json(key) for key in keys])
    elif keys:
        headings = ("key_id", "ends in", "created", "revoked")
        print_table(headings, [_as_row(key) for key in keys])
    else:
        out.print(f"No key yet: clamp key create {project_id}", highlight=False)


@app.command()
def revoke(
    key_id: Annotated[str, typer.Argument(help="As `clamp key list` shows it.")],
    data: Data = None,
    json: Json = False,
) -> None:
    """Revoke a key; a running server refuses it within a second."""
    with catalog(data) as kept:
        key = kept.revoke_key(KeyId(key_id))
    if json:
        print_json(_as_json(key))
    else:
        out.print(f"Revoked {key.id}", highlight=False)


def _as_json(key: Key) -> dict[str, object]:
    return {
        "key_id": key.id,
        "project_id": key.project_id,
        "hint": key.hint,
        "created_at": key.created_at.isoformat(),
        "revoked_at": key.revoked_at.isoformat() if key.revoked_at else None,
    }


def _as_row(key: Key) -> dict[str, str]:
    return {
        "key_id": key.id,
        "ends in": key.hint,
        "created": _minute(key.created_at),
        "revoked": _minute(key.revoked_at) if key.revoked_at else "",
    }


def _minute(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"
