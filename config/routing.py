"""Send every query to the application's connection, every migration to the owner's."""

from typing import Any


class OneDatabase:
    """All aliases are one database; they differ in role only."""

    def db_for_read(self, model: type, **hints: Any) -> str:
        return "default"

    db_for_write = db_for_read

    def allow_relation(self, one: object, other: object, **hints: Any) -> bool:
        return True

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        return db == "owner"
