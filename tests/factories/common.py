"""What all factories share: the moment at which things happen, and numbers that nothing has yet."""

import itertools
from datetime import UTC, datetime

from compliance.trail.recording import System

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
PASSWORD = "correct-horse-battery"
TEST = System("tests")
numbers = itertools.count(1)
