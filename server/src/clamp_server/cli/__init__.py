"""The command `clamp`: one subcommand a module."""

from __future__ import annotations

import sys

import typer

from clamp_server.cli import geo, key, project, user
from clamp_server.cli.ask import FREE_OPTIONS, ask
from clamp_server.cli.demo import demo
from clamp_server.cli.serve import serve
from clamp_server.errors import ClampServerError

app = typer.Typer(
    help="A self-hosted Clamp: takes events, keeps them, answers questions about them.",
    no_args_is_help=True,
    add_completion=False,
    # A traceback with every local variable in it could show a key.
    pretty_exceptions_show_locals=False,
)
app.command()(serve)
app.add_typer(project.app, name="project")
app.add_typer(key.app, name="key")
app.add_typer(user.app, name="user")
app.add_typer(geo.app, name="geo")
app.command(context_settings=FREE_OPTIONS)(ask)
app.command()(demo)


def main() -> None:
    """Run the command; what went wrong on purpose is one line, and exit code 1."""
    try:
        app()
    except ClampServerError as error:
        sys.stderr.write(f"clamp: {error}\n")
        raise SystemExit(1) from None
