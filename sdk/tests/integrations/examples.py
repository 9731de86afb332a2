"""Where the examples of the repository are."""

from __future__ import annotations

from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[3] / "examples"

in_repository = pytest.mark.skipif(
    not FOLDER.is_dir(), reason="the examples are in the repository only"
)
