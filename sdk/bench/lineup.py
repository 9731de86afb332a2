"""Who takes part in `delivery.py`, each in an environment of its own."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from run import ROOT, UV, environment, run, wheel

ENVIRONMENTS = ROOT / ".venvs"
REQUIREMENTS = ROOT / "requirements"


@dataclass(frozen=True)
class Contender:
    """One way of sending events.

    Attributes:
        module: The one in contenders/.
        imports: What an application imports.
        package: Names its environment and its requirements; None is this SDK.
        has_batches: Whether the sink has our route for several events.
    """

    label: str
    module: str
    imports: str
    package: str | None = None
    has_batches: bool = True


IN_MEMORY = Contender("clamp, in memory", "clamp", "clamp_analytics")
OUTBOX = Contender("clamp, outbox", "clamp_outbox", "clamp_analytics")
SINGLY = Contender("clamp, no batches", "clamp", "clamp_analytics", has_batches=False)
CONTENDERS = (
    IN_MEMORY,
    OUTBOX,
    SINGLY,
    Contender("posthog", "posthog", "posthog", "posthog"),
    Contender("segment", "segment", "segment.analytics", "segment"),
    Contender("sentry", "sentry", "sentry_sdk", "sentry"),
    Contender("mixpanel", "mixpanel", "mixpanel", "mixpanel"),
    Contender("honeybadger", "honeybadger", "honeybadger", "honeybadger"),
)

Pythons = Mapping[Contender, Path]


def pythons_of(contenders: Sequence[Contender]) -> Pythons:
    """Each contender's Python, in an environment that has its package."""
    pythons = {
        package: pinned_environment(package)
        if package
        else environment("ours", wheel())
        for package in {contender.package for contender in contenders}
    }
    return {contender: pythons[contender.package] for contender in contenders}


def pinned_environment(package: str) -> Path:
    """The Python of `package`'s environment, made anew only when its pins changed."""
    folder = ENVIRONMENTS / f"bench-{package}"
    requirements = REQUIREMENTS / f"bench-{package}.txt"
    python, stamp = folder / "bin" / "python", folder / "stamp"
    wanted = f"{sys.version}\n{requirements.read_text()}"
    if not stamp.exists() or stamp.read_text() != wanted:
        run(UV, "venv", "--quiet", "--clear", "--python", sys.executable, folder)
        install = (UV, "pip", "install", "--quiet", "--python", python)
        run(*install, "--require-hashes", "-r", requirements)
        stamp.write_text(wanted)
    return python


def release(contender: Contender, python: Path) -> str:
    """The name and version of the distribution that is measured."""
    top_level = contender.imports.partition(".")[0]
    code = (
        "from importlib.metadata import packages_distributions, version;"
        f"name = packages_distributions()['{top_level}'][0];"
        "print(name, version(name))"
    )
    return run(python, "-c", code).strip()
