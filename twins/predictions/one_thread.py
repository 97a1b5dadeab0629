"""Train with one thread: sums over several depend on the machine."""

import os
import sys

from django.core.management.base import BaseCommand

_PINNED = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def pin(command: BaseCommand) -> None:
    """Start the command again with one thread, when it was called from a shell."""
    from_shell = getattr(command, "_called_from_command_line", False)
    if from_shell and os.environ.get("OPENBLAS_NUM_THREADS") != "1":
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **_PINNED})  # noqa: S606 -- ourselves
