"""django-simple-history as its documentation installs it."""

from tests.bench.peers.settings import *  # noqa: F403
from tests.bench.peers.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "simple_history", "tests.bench.peers.with_simple_history"]
