"""The documentation says what the code does: links, commands, settings."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import typer.main

from clamp_server.api.metrics import Metrics
from clamp_server.cli import app
from clamp_server.ingest.counts import Counts

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    page
    for page in (
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/**/*.md"),
        *ROOT.glob("contract/**/*.md"),
        ROOT / "sdk" / "README.md",
        ROOT / "server" / "README.md",
    )
)
LINK = re.compile(r"\]\(([^)\s]+)\)")
FENCE = re.compile(r"```.*?```", re.DOTALL)

pytestmark = pytest.mark.skipif(
    not (ROOT / "docs").is_dir(), reason="the documentation is in the repository only"
)


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text()), re.MULTILINE)
    kept = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {heading.strip().replace(" ", "-") for heading in kept}


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_every_link_leads_somewhere(page: Path) -> None:
    broken = []
    for link in LINK.findall(FENCE.sub("", page.read_text())):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if re.match(r"[a-z]+:", link):
            continue
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)

    assert broken == []


def test_every_page_is_reached_from_the_front_page() -> None:
    seen, waiting = set[Path](), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in seen or page.suffix != ".md" or not page.is_file():
            continue
        seen.add(page)
        links = (link.partition("#")[0] for link in LINK.findall(page.read_text()))
        waiting += [
            (page.parent / link).resolve()
            for link in links
            if link and not re.match(r"[a-z]+:", link)
        ]

    assert {page for page in PAGES if "docs" in page.parts} - seen == set()


def test_the_reference_names_every_command_and_option() -> None:
    reference = (ROOT / "docs" / "reference" / "cli.md").read_text()
    wanted = set[str]()
    commands: Mapping[str, Any] = vars(typer.main.get_command(app))["commands"]
    for name, group in commands.items():
        members = getattr(group, "commands", None)
        for path, member in (
            [(f"clamp {name} {n}", c) for n, c in members.items()]
            if members
            else [(f"clamp {name}", group)]
        ):
            wanted.add(path)
            wanted |= {
                option for p in member.params for option in p.opts if "--" in option
            }

    assert {word for word in wanted if word not in reference} == set()


def test_the_reference_names_every_metric() -> None:
    counts = Counts()
    shown = Metrics(counts, [], lambda: 0).text().decode()
    names = set(re.findall(r"^# TYPE (\w+) ", shown, re.MULTILINE))
    reference = (ROOT / "docs" / "reference" / "metrics.md").read_text()
    documented = set(re.findall(r"^\| `(clamp_\w+)`", reference, re.MULTILINE))

    assert {name.removesuffix("_total") for name in documented} == {
        name.removesuffix("_total") for name in names
    }


def test_the_front_page_leads_with_two_commands_that_exist() -> None:
    commands = re.findall(
        r"^make (\w+)", (ROOT / "README.md").read_text(), re.MULTILINE
    )
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE)

    assert commands == ["demo", "test"]
    assert set(commands) <= set(targets)
