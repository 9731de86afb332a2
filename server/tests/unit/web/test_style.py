"""The style sheet keeps its promises: contrast, and nothing from elsewhere."""

import re
from pathlib import Path

import pytest

import clamp_server.web

HERE = Path(clamp_server.web.__file__).parent
SHEET = (HERE / "static" / "page.css").read_text()
# Text, and every ground that it stands on.
PAIRS = {
    "ink": ("ground", "card", "sunk", "line", "accent-ground"),
    "soft": ("ground", "card", "sunk"),
    "accent": ("ground", "card", "accent-ground"),
    "on-accent": ("accent",),
    "bad": ("card", "sunk", "bad-ground"),
    "good": ("card", "sunk", "good-ground"),
    "number": ("card", "sunk"),
    "boolean": ("card", "sunk"),
    "warn": ("card", "sunk"),
}


def tokens(sheet: str) -> dict[str, str]:
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", sheet))


LIGHT_SHEET, DARK_SHEET = SHEET.split("@media (prefers-color-scheme: dark)")
LIGHT = tokens(LIGHT_SHEET)
DARK = LIGHT | tokens(DARK_SHEET)


def luminance(colour: str) -> float:
    """Relative luminance, as WCAG 2.2 defines it."""
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [
        p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts
    ]
    return sum(w * p for w, p in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("scheme", [LIGHT, DARK], ids=["light", "dark"])
def test_every_text_has_the_contrast_of_wcag_aa(scheme: dict[str, str]) -> None:
    too_close = {
        (text, ground): round(contrast(scheme[text], scheme[ground]), 2)
        for text, grounds in PAIRS.items()
        for ground in grounds
        if contrast(scheme[text], scheme[ground]) < 4.5
    }

    assert too_close == {}


def test_every_text_colour_has_its_grounds_checked() -> None:
    used = set(re.findall(r"[{; ]color: var\(--([a-z-]+)\)", SHEET))

    assert used == set(PAIRS)


def test_dark_has_another_value_for_every_colour() -> None:
    assert {name for name in LIGHT if DARK[name] == LIGHT[name]} - {"hue"} == set()


@pytest.mark.parametrize("file", sorted(HERE.glob("[st]*/*.*")), ids=lambda f: f.name)
def test_nothing_is_fetched_from_elsewhere(file: Path) -> None:
    addresses = re.findall(r"(?:https?:)?//[a-z][^\s\"')]*", file.read_text())

    # The name of SVG's namespace looks like an address and is none.
    assert [a for a in addresses if a != "http://www.w3.org/2000/svg"] == []


@pytest.mark.parametrize("file", sorted(HERE.glob("templates/*")), ids=lambda f: f.name)
def test_no_template_has_a_style_or_a_handler_that_the_policy_forbids(
    file: Path,
) -> None:
    assert re.findall(r"<style|\sstyle=|\son[a-z]+=|<script>", file.read_text()) == []


@pytest.mark.parametrize("file", sorted(HERE.glob("templates/*")), ids=lambda f: f.name)
def test_no_template_takes_the_escaping_off(file: Path) -> None:
    assert re.findall(r"\|\s*safe|autoescape|Markup", file.read_text()) == []
