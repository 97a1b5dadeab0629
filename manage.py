#!/usr/bin/env python
"""Run a management command of the product."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.management import execute_from_command_line

    from config.embedded.failure import EmbeddedServiceFailed

    try:
        execute_from_command_line(sys.argv)
    except EmbeddedServiceFailed as failed:  # says itself what to do
        sys.exit(str(failed))


if __name__ == "__main__":
    main()
