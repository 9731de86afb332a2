"""`clamp user`: the people who may sign in to the pages."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from clamp_server.cli.terminal import Data, Json, catalog, out, print_json, print_table
from clamp_server.config import DEFAULT_PORT
from clamp_server.errors import CatalogError
from clamp_server.model.project import User
from clamp_server.store.catalog_rules import checked_email
from clamp_server.web.password import password_hash
from clamp_server.web.sign_in import LINK_LIFETIME, sign_in_link

app = typer.Typer(help="Add people who may sign in, list them, set their passwords.")

Email = Annotated[str, typer.Argument(help="What the person signs in with.")]
FromStdin = Annotated[
    bool,
    typer.Option(
        "--password-stdin",
        help="Read the password from the first line of the standard input.",
    ),
]


@app.command()
def add(
    email: Email,
    password_stdin: FromStdin = False,
    data: Data = None,
    json: Json = False,
) -> None:
    """Add a person and ask for a password."""
    # Before the password: nobody wants to type it twice for a typing error here.
    email = checked_email(email)
    with catalog(data) as kept:
        if kept.user_by_email(email):
            raise CatalogError(
                f"there is a user {email} already; `clamp user password {email}`"
                " sets another password"
            )
        user = kept.create_user(email, password_hash(_password(password_stdin)))
    if json:
        print_json(_as_json(user))
    else:
        out.print(f"{user.email} may sign in", highlight=False)


@app.command()
def password(
    email: Email, password_stdin: FromStdin = False, data: Data = None
) -> None:
    """Set another password; every browser of that person is signed out."""
    with catalog(data) as kept:
        if not kept.user_by_email(email):
            raise CatalogError(
                f"there is no user {email}; `clamp user list` shows them"
            )
        kept.set_password_hash(email, password_hash(_password(password_stdin)))
    out.print(f"{checked_email(email)} has another password", highlight=False)


@app.command(name="list")
def list_(data: Data = None, json: Json = False) -> None:
    """List everybody who may sign in; each sees every project."""
    with catalog(data) as kept:
        users = kept.users()
    if json:
        print_json([_as_json(user) for user in users])
    elif users:
        rows = [
            {"email": user.email, "added": f"{user.created_at:%Y-%m-%d %H:%M}"}
            for user in users
        ]
        print_table(("email", "added"), rows)
    else:
        out.print("Nobody yet: clamp user add EMAIL")


@app.command()
def remove(email: Email, data: Data = None) -> None:
    """Remove a person; every browser of theirs is signed out."""
    with catalog(data) as kept:
        kept.delete_user(email)
    out.print(f"Removed {checked_email(email)}", highlight=False)


@app.command()
def link(
    public_url: Annotated[
        str,
        typer.Option(help="Where people reach the server.", metavar="URL"),
    ] = f"http://127.0.0.1:{DEFAULT_PORT}",
    data: Data = None,
    json: Json = False,
) -> None:
    """Print a link that signs one browser in, once, within an hour."""
    with catalog(data) as kept:
        url = sign_in_link(kept, public_url, LINK_LIFETIME)
    if json:
        print_json({"url": url})
    else:
        # Written as it is, so that no terminal width can break it in two.
        out.print(url, soft_wrap=True, highlight=False)


def _password(from_stdin: bool) -> str:
    if not from_stdin:
        return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
    return sys.stdin.readline().rstrip("\r\n")


def _as_json(user: User) -> dict[str, str]:
    return {
        "user_id": user.id,
        "email": user.email,
        "created_at": user.created_at.isoformat(),
    }
