from __future__ import annotations

from hypothesis import settings

# No test here depends on how fast this machine is just now.
settings.register_profile("clamp", deadline=None)
settings.load_profile("clamp")
