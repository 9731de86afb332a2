"""A small shop on Django. Start it with
`python examples/django_shop/manage.py runserver`.

Where events go is in the environment: CLAMP_PROJECT_ID, CLAMP_API_KEY and
CLAMP_ENDPOINT. Without them the shop runs, and `check` says what is missing.
"""  # noqa: D205  (a command is not broken)

import os
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
    execute_from_command_line(sys.argv)
