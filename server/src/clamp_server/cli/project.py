"""`clamp project`: products whose events are kept apart."""

from __future__ import annotations

from typing import Annotated

import typer

from clamp_server.cli.terminal import Data, Json, catalog, out, print_json, print_table
from clamp_server.model.ids import ProjectId
from clamp_server.model.project import Project
from clamp_server.store.catalog import ProjectChanges

app = typer.Typer(help="Make projects, list them, change their settings.")

TimeZone = Annotated[
    str | None, typer.Option(help="IANA name; days in answers are days there.")
]
AllowOrigin = Annotated[
    list[str] | None,
    typer.Option(
        help="A web origin whose browsers may send, such as https://shop.example;"
        " repeat it for more. Without one, every origin may.",
        metavar="ORIGIN",
    ),
]
RateLimit = Annotated[
    int | None, typer.Option(help="Events a second; the rest is answered 429.", min=1)
]


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="What people call it.")],
    time_zone: TimeZone = None,
    allow_origin: AllowOrigin = None,
    rate_limit: RateLimit = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Make a project and print its id."""
    with catalog(data) as kept:
        project = kept.create_project(
            name,
            time_zone=time_zone or "UTC",
            allowed_origins=tuple(allow_origin or ()),
            rate_limit_per_s=rate_limit,
        )
    if json:
        print_json({"project_id": project.id, "name": project.name})
    else:
        out.print(f"Project [bold]{project.id}[/bold]", highlight=False)
        out.print(f"Next: clamp key create {project.id}", highlight=False)


@app.command(name="list")
def list_(data: Data = None, json: Json = False) -> None:
    """List every project with its settings."""
    with catalog(data) as kept:
        projects = kept.projects()
    if json:
        print_json([_as_json(project) for project in projects])
    elif projects:
        headings = ("project_id", "name", "time_zone", "origins", "events/s", "created")
        print_table(headings, [_as_row(project) for project in projects])
    else:
        out.print("No project yet: clamp project create NAME")


@app.command()
def update(
    project_id: Annotated[str, typer.Argument(help="Whose settings change.")],
    name: Annotated[str | None, typer.Option(help="What people call it.")] = None,
    time_zone: TimeZone = None,
    allow_origin: AllowOrigin = None,
    any_origin: Annotated[
        bool, typer.Option("--any-origin", help="Let every origin send again.")
    ] = False,
    rate_limit: RateLimit = None,
    no_rate_limit: Annotated[
        bool, typer.Option("--no-rate-limit", help="Take the rate limit away.")
    ] = False,
    data: Data = None,
    json: Json = False,
) -> None:
    """Change a project's settings; a running server follows within a second."""
    if any_origin and allow_origin:
        raise typer.BadParameter("--any-origin and --allow-origin exclude each other")
    if no_rate_limit and rate_limit:
        raise typer.BadParameter("--no-rate-limit and --rate-limit exclude each other")
    changes = ProjectChanges()
    if name is not None:
        changes["name"] = name
    if time_zone is not None:
        changes["time_zone"] = time_zone
    if allow_origin or any_origin:
        changes["allowed_origins"] = tuple(allow_origin or ())
    if rate_limit or no_rate_limit:
        changes["rate_limit_per_s"] = rate_limit
    with catalog(data) as kept:
        project = kept.update_project(ProjectId(project_id), **changes)
    if json:
        print_json(_as_json(project))
    else:
        out.print(f"Changed {project.id}", highlight=False)


def _as_json(project: Project) -> dict[str, object]:
    return {
        "project_id": project.id,
        "name": project.name,
        "time_zone": project.time_zone,
        "allowed_origins": list(project.allowed_origins),
        "rate_limit_per_s": project.rate_limit_per_s,
        "created_at": project.created_at.isoformat(),
    }


def _as_row(project: Project) -> dict[str, str]:
    limit = project.rate_limit_per_s
    return {
        "project_id": project.id,
        "name": project.name,
        "time_zone": project.time_zone,
        "origins": ", ".join(project.allowed_origins) or "any",
        "events/s": "no limit" if limit is None else str(limit),
        "created": f"{project.created_at:%Y-%m-%d %H:%M}",
    }
