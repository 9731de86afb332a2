from __future__ import annotations

import json
import subprocess
import sys

WATCHED = """
import json, sys
acts = []
sys.addaudithook(lambda event, args: acts.append((event, str(args[:1]))))
import clamp_analytics
watched = ("socket.", "subprocess.", "os.", "_thread.start", "signal.")
harmless = ("os.listdir", "os.scandir")
opened = [name for event, name in acts if event == "open"]
code = (".py',)", ".pyc',)", ".so',)", ".pyd',)")
print(json.dumps({
    "acts": [e for e, _ in acts if e.startswith(watched) and e not in harmless],
    "files": [name for name in opened if not name.endswith(code)],
    "httpx": "httpx" in sys.modules,
}))
"""


def test_importing_does_nothing_but_import() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WATCHED], capture_output=True, check=True, text=True
    )

    assert json.loads(done.stdout) == {"acts": [], "files": [], "httpx": False}
