"""The import direction of the package, and who may use which library."""

from __future__ import annotations

import ast
import importlib.metadata
import importlib.util
from pathlib import Path

import pytest

import clamp_analytics

ROOT = Path(clamp_analytics.__file__).parent
MODULES = sorted(ROOT.rglob("*.py"))
# A module imports only from rows above its own; neighbours in a row do not meet.
LAYERS = (
    ("errors", "_version", "_clock", "_fan", "_file_lock", "_process", "_queue"),
    ("_wire", "_error_event", "_config", "_background", "_exchange", "_segment"),
    ("_waiting",),
    ("_capture", "_context", "_revenue", "_retry", "_batch", "_report"),
    ("_requests", "_memory_queue", "_outbox", "_sender", "_compose"),
    ("_connection", "_delivery"),
    ("_transport",),
    ("_async_transport",),
    ("_intake",),
    ("_client", "_async_client"),
    ("_api",),
    ("__init__",),
    ("testing", "_doctor", "integrations"),
    ("__main__", "_pytest_plugin"),
)
RANK = {name: rank for rank, row in enumerate(LAYERS) for name in row}
# pytest is there whenever its plugin is imported, by pytest.
OWNERS = {
    "httpx": ("_requests", "_connection", "_transport", "_async_transport"),
    # What httpx sends with.
    "httpcore": ("_connection",),
    "pytest": ("_pytest_plugin",),
}


def imported(module: Path) -> set[str]:
    """Dotted names that `module` imports, at any depth of its code."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module.name} has a relative import"
            names.add(str(node.module))
            # `from clamp_analytics import _client` imports a module as well.
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
    return names


def home_of(module: Path) -> str:
    """The folder of the package that `module` is in, or else itself."""
    return module.relative_to(ROOT).with_suffix("").parts[0]


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.stem)
def test_imports_only_from_rows_above(module: Path) -> None:
    ours = {
        name.split(".")[1]
        for name in imported(module)
        if name.startswith("clamp_analytics.")
    }
    home = home_of(module)
    for target in (ours & set(RANK)) - {home}:
        assert RANK[target] < RANK[home], f"{module.stem} imports {target}"


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.stem)
def test_only_its_owner_imports_a_library(module: Path) -> None:
    for name in imported(module):
        owners = OWNERS.get(name.split(".")[0], (module.stem,))
        assert module.stem in owners, f"{module.stem} imports {name}"


def test_httpx_is_the_one_dependency() -> None:
    # An integration imports its framework, which an extra brings.
    modules = [module for module in MODULES if home_of(module) != "integrations"]
    names = {name.split(".")[0] for module in modules for name in imported(module)}
    origins = {name: importlib.util.find_spec(name) for name in names}
    installed = {
        name
        for name, spec in origins.items()
        if spec and "site-packages" in str(spec.origin)
    }

    assert installed - {"clamp_analytics", "pytest"} == {"httpx", "httpcore"}
    required = importlib.metadata.requires("clamp-analytics") or []
    assert [one for one in required if "extra ==" not in one] == ["httpx>=0.24"]
    assert any(
        one.startswith("httpcore") and "extra ==" not in one
        for one in importlib.metadata.requires("httpx") or []
    )
