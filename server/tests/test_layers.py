"""The import direction of the package, and who may use which library."""

import ast
from pathlib import Path

import pytest

import clamp_server

ROOT = Path(clamp_server.__file__).parent
MODULES = sorted(ROOT.rglob("*.py"))
# A package may import itself and any row above it; neighbours in a row may not.
LAYERS = (
    ("__init__",),
    ("errors", "clock"),
    ("config", "log"),
    ("model",),
    ("store",),
    ("ingest", "questions"),
    ("api", "web"),
    ("app",),
    ("cli",),
    ("__main__",),
)
RANK = {name: rank for rank, row in enumerate(LAYERS) for name in row}
# The demo's programs are the server's customers: they may use the clock and
# the SDK, and no other part of the server may know of them.
CUSTOMER = "demo"
OWNERS = {
    "alembic": ("store/catalog_migration.py", "store/migrations"),
    "argon2": ("web/password.py",),
    "clamp_analytics": ("demo/shop.py",),
    "clickhouse_connect": ("store/on_clickhouse.py",),
    "crawleruseragents": ("ingest/enrich/device.py",),
    "duckdb": ("store/on_duckdb.py",),
    "jinja2": ("web/template.py",),
    "maxminddb": ("ingest/enrich/place.py",),
    "prometheus_client": ("api/metrics.py",),
    "nanoarrow": ("store/event_batch.py",),
    "re2": ("ingest/enrich/device.py",),
    "rich": ("cli",),
    "sqlalchemy": (
        "store/catalog_database.py",
        "store/catalog_definitions.py",
        "store/catalog_migration.py",
        "store/catalog_people.py",
        "store/catalog_projects.py",
        "store/catalog_tables.py",
        "store/migrations",
    ),
    "structlog": ("log.py",),
    "typer": ("cli",),
    "ua_parser": ("ingest/enrich/device.py",),
    "uvicorn": ("cli/http_server.py",),
}


def imported(module: Path) -> set[str]:
    """Dotted names that `module` imports, at any depth of its code."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{module}: imports are absolute"
            names.add(node.module)
        elif isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
    return names


def ours(module: Path) -> set[str]:
    """First parts, below the package, of what `module` imports of it."""
    parts = (name.split(".") for name in imported(module))
    return {p[1] if len(p) > 1 else "__init__" for p in parts if p[0] == ROOT.name}


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_imports_only_from_rows_above(module: Path) -> None:
    home = module.relative_to(ROOT).with_suffix("").parts[0]
    if home == CUSTOMER:
        assert ours(module) <= {CUSTOMER, "clock"}
        return
    for target in ours(module) - {home}:
        assert RANK[target] < RANK[home], f"{home} may not import {target}"


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_only_its_owner_imports_a_library(module: Path) -> None:
    place = module.relative_to(ROOT).as_posix()
    for name in imported(module):
        owners = OWNERS.get(name.split(".")[0])
        assert owners is None or place.startswith(owners), f"{place} imports {name}"


def test_every_owner_is_there() -> None:
    owners = {owner for owners in OWNERS.values() for owner in owners}
    assert {owner for owner in owners if not (ROOT / owner).exists()} == set()
