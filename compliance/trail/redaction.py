"""Erase a person's data of one column from the trail and the live row, by two people.

An entry has such a value as a salted commitment; what opens it is beside the log. Erasing the
openings erases the value and leaves every entry, leaf and proof as it is (GDPR art. 17). Copies in
dead rows, the write-ahead log and backups go with VACUUM and the retention of those.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from django.db import DatabaseError, connection, models

from compliance.refusals import Refused
from compliance.trail import capture, log_events, recording, whitelist
from compliance.trail.actions import Action
from compliance.trail.recording import Actor, Identity
from compliance.trail.tlog import canonical

KIND = "redaction"
DUTY = "redact"  # as in access.duties, which this room does not know
READING_DUTY = "read-personal-data"


class Decider(Protocol):
    """A person whose roles give duties."""

    @property
    def duties(self) -> frozenset[str]: ...

    def trail_identity(self) -> Identity: ...


class NotRedactable(Refused):
    """The value is no personal data that may be erased: records are kept (21 CFR 11.10(c))."""

    code = "not-redactable"
    status = 422


class TwoPersonsNeeded(Refused):
    """Erasing takes two different people with the duty."""

    code = "two-persons-needed"
    status = 403


class ValueHeld(Refused):
    """A legal hold or a signature needs the value (GDPR art. 17(3))."""

    code = "value-held"


class NotSealedYet(Refused):
    """A redaction names leaves of the log; the newest entries have none for a moment."""

    code = "not-sealed-yet"


class NotReadable(Refused):
    code = "not-permitted"
    status = 403


@dataclass(frozen=True)
class Opening:
    """What opens one commitment: in which entry, at which leaf, and the value."""

    entry_id: int
    index: int | None
    salt: bytes
    value: str


# Says why a record's column must be kept, or None.
Hold = Callable[[models.Model, str], str | None]
_holds: dict[str, Hold] = {}


def hold(name: str, check: Hold) -> None:
    """Register what can forbid an erasure; called in AppConfig.ready."""
    if name in _holds:
        raise ValueError(f"a hold named {name} is registered already")
    _holds[name] = check


def redact(
    record: models.Model, column: str, *, legal_basis: str, requested_by: Decider,
    approved_by: Decider, at: datetime, reason: str,
) -> int:  # fmt: skip
    """Erase all versions of a record's value; return how many. A repeat finds nothing to erase.

    Raise `NotRedactable`, `TwoPersonsNeeded`, `ValueHeld` or `NotSealedYet`. `column` may be a
    former name of a column that was renamed: then only the trail has it.
    """
    name, path = _name_and_path(record, column)
    persons = _two_persons(requested_by, approved_by)
    basis = recording.demand_reason(legal_basis)
    text = recording.demand_reason(reason)
    with recording.recording(Action.REDACTED, actor=approved_by, at=at, reason=text):
        kept = type(record)._base_manager.select_for_update().get(pk=record.pk)
        _demand_free(kept, column)
        found = [one for one in _openings(name, record.pk, path) if one.value]
        for one in found:
            _erase(one, path, basis, persons, actor=approved_by, at=at, reason=text)
        _blank(kept, column)
    return len(found)


def openings(record: models.Model, column: str, *, reader: Decider) -> list[Opening]:
    """Return what opens the versions of a value that are not erased, or raise `NotReadable`."""
    identity = reader.trail_identity()
    if READING_DUTY not in reader.duties:
        raise NotReadable(f"{identity.name} ({identity.role}) may not read personal data")
    name, path = _name_and_path(record, column)
    return _openings(name, record.pk, path)


def _name_and_path(record: models.Model, column: str) -> tuple[str, str]:
    control = capture.control_of(type(record))
    if control is None:
        raise NotRedactable(f"{record._meta.verbose_name} is not under control of the trail")
    path = f"{control.record}.{column}"
    if column not in control.redactable and not _was_redactable(path):
        raise NotRedactable(f"{path} is part of the record and was never declared erasable")
    return control.record, path


def _was_redactable(path: str) -> bool:
    """Say whether the log ever declared a value erasable, also under a column's former name."""
    return any(path in told["paths"] for told in log_events.documents(whitelist.KIND))


def _two_persons(requested_by: Decider, approved_by: Decider) -> list[str]:
    first, second = requested_by.trail_identity(), approved_by.trail_identity()
    # As whoever verifies the erasure tells names apart.
    if first.id == second.id or first.name.casefold() == second.name.casefold():
        raise TwoPersonsNeeded(f"{first.name} cannot both request and approve: ask a second person")
    for person, identity in ((requested_by, first), (approved_by, second)):
        if DUTY not in person.duties:
            raise TwoPersonsNeeded(f"{identity.name} ({identity.role}) may not erase personal data")
    return [first.name, second.name]


def _demand_free(record: models.Model, column: str) -> None:
    for check in _holds.values():
        if why := check(record, column):
            raise ValueHeld(f"{column} of {record} is not erased: {why}")


def _openings(name: str, record_id: object, path: str) -> list[Opening]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT entry_id, idx, salt, value FROM audit.openings_of(%s, %s, %s)",
            [name, str(record_id), path],
        )
        return [
            Opening(entry_id, index, bytes(salt), value)
            for entry_id, index, salt, value in cursor.fetchall()
        ]


def _erase(
    opening: Opening, path: str, basis: str, persons: list[str], *, actor: Actor, at: datetime,
    reason: str,
) -> None:  # fmt: skip
    if opening.index is None:
        raise NotSealedYet(f"entry {opening.entry_id} is not sealed yet; try again in a moment")
    document: dict[str, canonical.Value] = {
        "index": opening.index, "legal_basis": basis, "path": path, "persons": persons, "v": 1,
    }  # fmt: skip
    log_events.record(KIND, document, actor=actor, at=at, reason=reason)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT audit.erase_opening(%s, %s)", [opening.entry_id, path])
    except DatabaseError as error:
        if getattr(error.__cause__, "sqlstate", "") != "GM002":
            raise
        raise NotRedactable(
            f"{path} was not declared erasable when entry {opening.entry_id} was written"
        ) from error


def _blank(record: models.Model, column: str) -> None:
    """Empty the live value by an ordinary update, which writes its own entry."""
    control = capture.control_of(type(record))
    if control is None or column not in control.redactable:  # a column of earlier times
        return
    field = next(one for one in record._meta.concrete_fields if one.column == column)
    blank = None if field.null else ""
    if getattr(record, field.attname) not in (None, ""):
        setattr(record, field.attname, blank)
        record.save(update_fields=[field.attname])
