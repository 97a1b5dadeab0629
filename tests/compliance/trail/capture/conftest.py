"""A server that runs captures and acts as machine code."""

import os
from typing import Any

import psycopg
import pytest


@pytest.fixture
def server(as_superuser: psycopg.Connection[Any]) -> psycopg.Connection[Any]:
    """Return a connection to a server that has the library."""
    version = as_superuser.execute("SELECT current_setting('gmp_capture.version', true)").fetchone()
    as_superuser.rollback()
    if version == (None,):
        assert not os.environ.get("CI") or os.environ.get("DATABASE_URL"), "it must be built in CI"
        pytest.skip("this server runs captures as SQL: it has not the library")
    return as_superuser
