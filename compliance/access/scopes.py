"""Name what a client of the API may be let to do: one scope a stream and direction."""

from enum import StrEnum

from compliance.refusals import Refused


class ScopeUnknown(Refused):
    """A scope that this product does not have, or none at all."""

    code = "scope-unknown"
    status = 422


class Scope(StrEnum):
    """The scopes of a site's API; stored values, so never renamed."""

    BATCHES_READ = "batches:read"
    BATCHES_WRITE = "batches:write"
    EVENTS_READ = "events:read"
    EVENTS_WRITE = "events:write"
    READINGS_READ = "readings:read"
    READINGS_WRITE = "readings:write"
    SAMPLES_READ = "samples:read"
    SAMPLES_WRITE = "samples:write"
    RESULTS_READ = "results:read"
    RESULTS_WRITE = "results:write"
    RECIPES_READ = "recipes:read"
    RECEIPTS_READ = "receipts:read"
    MESSAGES_READ = "messages:read"
    MESSAGES_WRITE = "messages:write"
    SOURCES_READ = "sources:read"
    RECORDS_WRITE = "records:write"
    CHANGES_READ = "changes:read"


MEANS = {
    Scope.BATCHES_READ: "Read batches",
    Scope.BATCHES_WRITE: "Issue batches",
    Scope.EVENTS_READ: "Read the events of batches",
    Scope.EVENTS_WRITE: "Post events of batches",
    Scope.READINGS_READ: "Read series of readings",
    Scope.READINGS_WRITE: "Post readings",
    Scope.SAMPLES_READ: "Read samples",
    Scope.SAMPLES_WRITE: "Register samples",
    Scope.RESULTS_READ: "Read results",
    Scope.RESULTS_WRITE: "Report results",
    Scope.RECIPES_READ: "Read products and recipes",
    Scope.RECEIPTS_READ: "Read the receipts of its own messages",
    Scope.MESSAGES_READ: "Read its own messages, and how they were mapped",
    Scope.MESSAGES_WRITE: "Post messages of other systems as they are",
    Scope.SOURCES_READ: "Read how its sources stand, their gaps and their books",
    Scope.RECORDS_WRITE: "Send numbered records of its sources",
    Scope.CHANGES_READ: "Read the feed of changes",
}


def text(scopes: list[str] | tuple[str, ...]) -> str:
    """Return scopes in their one written form (RFC 6749 3.3), or raise `ScopeUnknown`."""
    wanted = set(scopes)
    if unknown := sorted(wanted - set(Scope)):
        raise ScopeUnknown(f"there is no scope {', '.join(unknown)}; known: {', '.join(Scope)}")
    if not wanted:
        raise ScopeUnknown("say at least one scope; a client without any is revoked")
    return " ".join(sorted(wanted))
