"""Templates, and the static files they point at. The only user of `jinja2`."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import jinja2

from clamp_server import __version__
from clamp_server.web import words

HERE = Path(__file__).parent
MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


@dataclass(frozen=True, slots=True)
class Asset:
    """One static file, in memory.

    Attributes:
        path: Where it is served: the name has its content's hash in it, so that
            a browser may keep it for ever.
    """

    path: str
    media_type: str
    body: bytes


@cache
def assets() -> Mapping[str, Asset]:
    """Return the static files under their names, such as `page.css`."""
    return {file.name: _asset(file) for file in sorted((HERE / "static").iterdir())}


def _asset(file: Path) -> Asset:
    body = file.read_bytes()
    digest = hashlib.sha256(body).hexdigest()[:12]
    return Asset(
        f"/static/{file.stem}.{digest}{file.suffix}", MEDIA_TYPES[file.suffix], body
    )


def render(template: str, **values: object) -> str:
    """Fill a template; every value is escaped for HTML.

    Raises:
        jinja2.UndefinedError: The template names a value that is not given.
    """
    return _environment().get_template(template).render(values)


def _asset_path(name: str) -> str:
    return assets()[name].path


# `Any`: Jinja's own type of these names is that of what it brings along.
_GLOBALS: Mapping[str, Any] = {"version": __version__, "asset": _asset_path}
_FILTERS: Mapping[str, Any] = {
    "ago": words.ago,
    "count": words.count_text,
    "money": words.money_text,
    "percent": words.percent_text,
    "plural": words.plural,
}


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.globals.update(_GLOBALS)
    environment.filters.update(_FILTERS)
    return environment
