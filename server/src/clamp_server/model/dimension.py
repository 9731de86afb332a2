"""What events can be told apart by: the sixteen filters of every answer."""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

Dimension: TypeAlias = Literal[
    "pathname",
    "referrer_host",
    "channel",
    "country",
    "region",
    "city",
    "device_type",
    "browser",
    "browser_version",
    "os",
    "os_version",
    "utm_source",
    "utm_medium",
    "utm_campaign",
    "utm_content",
    "utm_term",
]
"""A parameter of the API and a column of `events`, under the same name."""

DIMENSIONS: tuple[Dimension, ...] = get_args(Dimension)
