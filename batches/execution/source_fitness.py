"""Flag data of a device whose equipment was not fit: kept as posted, and in doubt (11.10(h)).

A device is bound to the code of the equipment that it speaks for. Where the plant keeps that
equipment here, it was qualified and calibrated when it measured, or what it measured waits for an
investigation: what became of the equipment since neither heals the data nor spoils them.
"""

from datetime import datetime

from django.db import models

from batches.assets import past_states, usability
from batches.assets.models import Equipment
from batches.execution import exceptions
from batches.execution.models import Batch, ExceptionKind, ExceptionState
from compliance.access.authority import Principal
from compliance.access.models import Device


def judge(
    batch: Batch, *, about: models.Model, source: Principal | None, measured_at: datetime,
    at: datetime,
) -> None:  # fmt: skip
    """Flag what a device posted, inside the act that stores it; once while the flag is open."""
    if not isinstance(source, Device):
        return
    equipment = Equipment.objects.filter(code=source.bound_to).first()
    if equipment is None:
        return
    doubts = _doubts(equipment, measured_at)
    if not doubts:
        return
    text = f"{source.name} measures with {equipment.code}: {'; '.join(doubts)}"
    is_flagged = batch.exceptions.filter(
        kind=ExceptionKind.SOURCE_NOT_USABLE, state=ExceptionState.OPEN, text__startswith=text
    )
    if not is_flagged.exists():
        exceptions.flag(
            batch, ExceptionKind.SOURCE_NOT_USABLE, about=about, at=at,
            text=f"{text}. This holds for what it sent of {measured_at.isoformat()} and later",
        )  # fmt: skip


def _doubts(equipment: Equipment, measured_at: datetime) -> list[str]:
    try:
        past = past_states.at_moment(equipment, at=measured_at)
    except past_states.PastUnknown as unknown:
        return [str(unknown)]
    if past is None:
        return ["it was not registered then"]
    return usability.doubts_of_data(past, at=measured_at)
