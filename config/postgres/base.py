"""Django's PostgreSQL backend: transactions can begin with an act, and sessions have their role."""

import re
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db.backends.postgresql import base

from config.postgres.asked_once import AskedOnce
from config.postgres.statement_at_begin import StatementAtBegin

_ROLE = re.compile(r"-c role=(\w+)")


class DatabaseWrapper(StatementAtBegin, AskedOnce, base.DatabaseWrapper):
    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Connect, and refuse a session that is not as we asked for it: poolers drop what we ask for."""
        connection = super().get_new_connection(conn_params)
        if connection.pgconn.parameter_status(b"standard_conforming_strings") != b"on":
            connection.close()
            raise ImproperlyConfigured(
                f"the database connection “{self.alias}” takes backslashes in texts for escapes: "
                "set standard_conforming_strings to on for its login (docs/operations.md)"
            )
        wanted = _ROLE.search(conn_params.get("options") or "")
        if wanted is None:  # an administrator's
            return connection
        (role,) = connection.execute("SELECT current_user").fetchone()
        connection.rollback()
        if role != wanted[1]:
            connection.close()
            raise ImproperlyConfigured(
                f"the database connection “{self.alias}” runs as {role}, not as {wanted[1]}: "
                "behind a pooler, let its login have the role by itself (docs/operations.md)"
            )
        return connection
