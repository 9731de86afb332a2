"""The part of a file's path that is the same on every machine."""

from __future__ import annotations

import re

# In every Django project there are many of each, and each lies in a package, so
# that the directory above belongs to the code and not to the machine.
IN_PACKAGE = frozenset(
    {"__init__.py", "__main__.py", "admin.py", "forms.py", "models.py"}
    | {"serializers.py", "views.py"}
)
SEPARATOR = re.compile(r"[\\/]")


def file_name(path: str) -> str:
    """Return a file's own name, with its package's for a name that says nothing.

    Directories are left out because they name the machine: `/app/pay.py` here
    is `/home/me/shop/pay.py` there.

    >>> file_name("/srv/releases/42/shop/pay.py"), file_name("/app/shop/views.py")
    ('pay.py', 'shop/views.py')
    """
    *directories, name = SEPARATOR.split(path)
    if name in IN_PACKAGE and directories and directories[-1]:
        return f"{directories[-1]}/{name}"
    return name


def frame_text(file: str, function: str) -> str:
    """Write a frame as it goes into the hash.

    >>> frame_text("pay.py", "charge"), frame_text("pay.js", "")
    ('pay.py in charge', 'pay.js')
    """
    return " in ".join(part for part in (file, function) if part)
