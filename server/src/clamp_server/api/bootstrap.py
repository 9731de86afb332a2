"""What a key tells about itself."""

from __future__ import annotations

import msgspec

# Clients show it; a server of one's own has nothing to upgrade to.
PLAN = "self-hosted"


class Bootstrap(msgspec.Struct, frozen=True, rename="camel"):
    """Whose key it is."""

    project_id: str
    project_name: str
    plan: str
