"""`manage.py dbshell` for the embedded PostgreSQL, with its own psql."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.db.backends.postgresql import client

from config.embedded import bundled, postgres


class DatabaseClient(client.DatabaseClient):
    @classmethod
    def settings_to_cmd_args_env(
        cls, settings_dict: dict[str, Any], parameters: Iterable[str]
    ) -> tuple[list[str], dict[str, str] | None]:
        folder = postgres.ensure_postgres(Path(settings_dict["EMBEDDED_VAR"]))
        arguments, environment = super().settings_to_cmd_args_env(
            {**settings_dict, "HOST": str(folder)}, list(parameters)
        )
        return [str(bundled.programs() / "psql"), *arguments[1:]], environment
