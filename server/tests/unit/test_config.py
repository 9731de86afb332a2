from __future__ import annotations

from pathlib import Path

import pytest

from clamp_server.config import Settings, event_store_url
from clamp_server.errors import ConfigError

URL = "clickhouse://clamp:secret@db.example:8123/clamp"


@pytest.mark.parametrize(
    ("chosen", "environ", "url"),
    [
        (None, {}, None),
        ("duckdb", {"CLAMP_STORE": URL}, None),
        (None, {"CLAMP_STORE": "duckdb"}, None),
        (URL, {}, URL),
        (None, {"CLAMP_STORE": URL}, URL),
        (
            "clickhouses://db.example/clamp",
            {"CLAMP_STORE": URL},
            "clickhouses://db.example/clamp",
        ),
    ],
)
def test_an_option_goes_over_the_environment(
    chosen: str | None, environ: dict[str, str], url: str | None
) -> None:
    assert event_store_url(chosen, environ) == url


@pytest.mark.parametrize(
    "wrong",
    [
        "postgresql://clamp:secret@db.example/clamp",
        "http://clamp:secret@db.example:8123/clamp",
        "clickhouse://clamp:secret@db.example",
        "clickhouse://clamp:secret@db.example/",
        "clickhouse:///secret",
        "clickhouse://clamp:secret@db.example:port/clamp",
        "clickhouse://[secret/clamp",
        "secret",
    ],
)
def test_another_store_is_refused_without_its_password(wrong: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        event_store_url(wrong, {})

    assert str(refusal.value) == (
        "--store, CLAMP_STORE: duckdb, or"
        " clickhouse[s]://USER:PASSWORD@HOST:PORT/DATABASE, is allowed"
    )


def test_settings_do_not_show_the_password() -> None:
    assert "secret" not in repr(Settings(data=Path("d"), store_url=URL))
