"""Django's PostgreSQL backend, on the embedded server of DATABASES[…]["EMBEDDED_VAR"]."""

from pathlib import Path
from typing import Any

from django.db.backends.postgresql import base

from config.embedded import folders, postgres
from config.embedded.backend.client import DatabaseClient
from config.postgres.asked_once import AskedOnce
from config.postgres.statement_at_begin import StatementAtBegin


class DatabaseWrapper(StatementAtBegin, AskedOnce, base.DatabaseWrapper):
    client_class = DatabaseClient

    @property
    def embedded_var(self) -> Path:
        return Path(self.settings_dict["EMBEDDED_VAR"]).resolve()

    def get_connection_params(self) -> dict[str, Any]:
        parameters: dict[str, Any] = super().get_connection_params()
        parameters["host"] = str(folders.run_folder(self.embedded_var))
        return parameters

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        postgres.ensure_postgres(self.embedded_var)
        try:
            return super().get_new_connection(conn_params)
        except self.Database.OperationalError:
            # It may have been killed a moment ago: look again, this time by talking to it.
            postgres.ensure_postgres(self.embedded_var, in_doubt=True)
            return super().get_new_connection(conn_params)
