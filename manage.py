#!/usr/bin/env python
"""Entry point: prepares the services, then hands over to Django."""

import os
import sys
from importlib.util import find_spec


def main() -> None:
    if sys.version_info < (3, 11):  # noqa: UP036 (said in one line, not by a SyntaxError)
        sys.exit(f"error: Python 3.11 or newer is needed; this is {sys.version.split()[0]}.")
    if find_spec("django") is None:
        sys.exit(
            "error: this Python has no Django; after bin/up there is one: .venv/bin/python manage.py ..."
        )
    from crm import embedded

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm.settings")
    try:
        embedded.ensure()
    except embedded.ServicesError as error:
        sys.exit(f"error: {error}")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
