"""Names of things, as types that do not mix."""

from __future__ import annotations

import re
from typing import NewType

ProjectId = NewType("ProjectId", str)
KeyId = NewType("KeyId", str)
UserId = NewType("UserId", str)

PROJECT_ID = re.compile(r"proj_[A-Za-z0-9_-]+")
API_KEY_PREFIX = "sk_proj_"
