"""Name the acts of signatures."""

from enum import StrEnum


class Action(StrEnum):
    SIGNED = "signatures.signed"
    REAUTHENTICATED = "signatures.reauthenticated"
    STATEMENT_DRAFTED = "signatures.statement-drafted"
    STATEMENT_PUBLISHED = "signatures.statement-published"
