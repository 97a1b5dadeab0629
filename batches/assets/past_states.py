"""Return equipment as it was at a moment, from its entries in the trail (21 CFR 211.68, 11.10(e))."""

import json
from datetime import datetime

from batches.assets.models import Equipment
from compliance.refusals import Refused
from compliance.trail import capture
from compliance.trail.models import Entry

_FIELDS = {field.attname: field for field in Equipment._meta.concrete_fields}


class PastUnknown(Refused):
    """An entry that is needed to know the past is archived away from here."""

    code = "past-unknown"


def at_moment(equipment: Equipment, *, at: datetime) -> Equipment | None:
    """Return it as it was, not saved; None when it was not registered then. Raise `PastUnknown`.

    The present record with whatever changed after the moment undone, the newest change first: for
    the data of the last minutes, which are most of them, that is nothing.
    """
    past = Equipment.objects.get(pk=equipment.pk)
    later = Entry.objects.of_record(capture.record_of(Equipment), equipment.pk).filter(at__gt=at)
    for entry in later.order_by("-record_seq"):
        if entry.op == "insert":
            return None
        if entry.body is None:
            raise PastUnknown(
                f"the history of {equipment.code} is archived: restore it to ask of then"
            )
        for name, value in json.loads(entry.body)["old"].items():
            setattr(past, name, _FIELDS[name].to_python(value))
    return past
