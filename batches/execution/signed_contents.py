"""Say what a signature under an entry of the batch record covers: all that was entered (11.70)."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import models

from batches.execution.models import (
    BatchEvent,
    BatchException,
    BatchPhase,
    Charge,
    EquipmentAssignment,
    Examination,
    InProcessResult,
    LabelUse,
    MaterialAccount,
)
from compliance.signatures import signing
from compliance.signatures.models import Meaning
from compliance.trail.tlog import canonical

# What the signature itself brings about, and what may follow it, is no part of what is signed.
_LEFT_OUT = frozenset({"id", "verified_by_id", "verified_at", "deviation_id"})


def plain(record: models.Model) -> Mapping[str, canonical.Value]:
    """Return every column of a record as canonical JSON has it."""
    return {
        field.attname: _value(getattr(record, field.attname))
        for field in record._meta.concrete_fields
        if field.attname not in _LEFT_OUT
    }


def _value(value: Any) -> canonical.Value:
    match value:
        case datetime():
            return value.isoformat()
        case Decimal():
            return f"{value.normalize():f}"
        case None | bool() | int() | str() | dict() | list():
            return value
    return str(value)


_DONE = frozenset({Meaning.PERFORMED, Meaning.VERIFIED})
for model in (
    BatchEvent, BatchPhase, Charge, EquipmentAssignment, Examination, InProcessResult, LabelUse,
    MaterialAccount,
):  # fmt: skip
    signing.signable(model, meanings=_DONE)(plain)
signing.signable(BatchException, meanings={Meaning.REVIEWED})(plain)
