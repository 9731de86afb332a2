"""The README's code runs, and what it says of names and messages is so."""

from __future__ import annotations

import dataclasses
import inspect
import re
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.sink import Sink

import clamp_analytics
from clamp_analytics import BackgroundDelivery, Clamp

README = Path(__file__).parents[1].joinpath("README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
def test_a_block_of_python_is_python(block: str) -> None:
    compile(block, "README.md", "exec")


def test_the_quick_start_sends_its_three_events(
    sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAMP_ENDPOINT", sink.endpoint)
    subprocess.run([sys.executable, "-c", BLOCKS[0]], check=True)

    assert [(body["name"], body["properties"].get("plan")) for body in sink.bodies] == [
        ("signup", "pro"),
        ("subscription_started", "pro"),
        ("$error", None),
    ]


@pytest.mark.parametrize(
    "name", ["track", "capture_error", "identify", "revenue", "context"]
)
def test_the_heading_of_a_call_is_its_signature(name: str) -> None:
    parameters = inspect.signature(getattr(clamp_analytics, name)).parameters.values()
    bare = [p.replace(annotation=p.empty) for p in parameters]

    heading = f"{name}{inspect.Signature(bare)}".replace("'", '"')
    assert f"### `{heading}`" in README


@pytest.mark.parametrize("name", ["init", "Clamp"])
def test_every_parameter_has_a_row(name: str) -> None:
    parameters = inspect.signature(getattr(clamp_analytics, name)).parameters

    assert [p for p in parameters if f"\n| `{p}` |" not in README] == []


def test_every_field_of_background_delivery_has_a_row() -> None:
    section = README.partition("| field of `BackgroundDelivery` |")[2]
    rows = section.partition("\n\n")[0]

    fields = [field.name for field in dataclasses.fields(BackgroundDelivery)]
    assert [name for name in fields if f"`{name}`" not in rows] == []


def test_every_public_name_and_variable_is_explained() -> None:
    variables = {
        "CLAMP_PROJECT_ID",
        "CLAMP_API_KEY",
        "CLAMP_ENDPOINT",
        "CLAMP_DISABLED",
    }
    names = {*clamp_analytics.__all__, *variables} - {"__version__"}

    assert [name for name in sorted(names) if name not in README] == []


def test_the_refusal_it_quotes_is_the_one_that_is_raised(clamp: Clamp) -> None:
    price: Any = Decimal("1.50")
    with pytest.raises(ValueError, match="unsupported type") as caught:
        clamp.track("purchase", {"price": price})

    assert str(caught.value) in README.replace("\n", " ")
