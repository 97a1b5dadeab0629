"""Return equipment as it was at a moment, from its entries in the trail (21 CFR 211.68, 11.10(e))."""

from collections.abc import Iterator
from datetime import datetime

from batches.assets.models import Equipment
from compliance.refusals import Refused
from compliance.trail import capture, entry_text
from compliance.trail.models import Entry

PAGE = 20
_FIELDS = {field.attname: field for field in Equipment._meta.concrete_fields}


class PastUnknown(Refused):
    """An entry that is needed to know the past is archived away from here."""

    code = "past-unknown"


def at_moment(equipment: Equipment, *, at: datetime) -> Equipment | None:
    """Return it as it was, not saved; None when it was not registered then. Raise `PastUnknown`.

    The present record with whatever changed after the moment undone, the newest change first: for
    the data of the last minutes, which are most of them, the newest entry is all that is read.
    """
    past = Equipment.objects.get(pk=equipment.pk)
    for entry in _newest_first(equipment):
        if entry.body is None:
            if entry.at <= at:
                return past
            raise PastUnknown(
                f"the history of {equipment.code} is archived: restore it to ask of that time"
            )
        try:
            body = entry_text.members(entry.body)
        except entry_text.EntryUnreadable as error:
            raise PastUnknown(f"the history of {equipment.code}: {error}") from error
        # When the act was done by its own clock; `entry.at` is when the database wrote it.
        if datetime.fromisoformat(body["act"]["acted_at"]) <= at:
            return past
        if entry.op == "insert":
            return None
        for name, value in body["old"].items():
            setattr(past, name, _FIELDS[name].to_python(value))
    return past


def _newest_first(equipment: Equipment) -> Iterator[Entry]:
    entries = Entry.objects.of_record(capture.record_of(Equipment), equipment.pk)
    found, size = entries.order_by("-entry_id"), 1
    while page := list(found[:size]):
        yield from page
        size = PAGE
        found = entries.filter(entry_id__lt=page[-1].entry_id).order_by("-entry_id")
