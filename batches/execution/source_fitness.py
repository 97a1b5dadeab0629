"""Flag data of a device whose equipment was not fit: kept as posted, and in doubt (11.10(h)).

A device is bound to the code of the equipment that it speaks for. Where the plant keeps that
equipment here, it was qualified and calibrated when it measured, and not in use for another batch, or
what it measured waits for an investigation: what became of the equipment since neither heals the data
nor spoils them. Refused it is not: what was measured is lost then, and a person may have misassigned.
"""

from datetime import datetime

from django.db import models
from django.db.models import Q

from batches.assets import past_states, usability
from batches.assets.models import Equipment
from batches.execution import exceptions
from batches.execution.models import Batch, EquipmentAssignment, ExceptionKind, ExceptionState
from compliance.access.authority import Principal
from compliance.access.models import Device
from compliance.written_once import Lookup

_coded = Lookup(Equipment, "code")


def judge(
    batch: Batch, *, about: models.Model, source: Principal | None, measured_at: datetime,
    at: datetime,
) -> None:  # fmt: skip
    """Flag what a device posted, inside the act that stores it; once while the flag is open."""
    if not isinstance(source, Device):
        return
    equipment = _coded(source.bound_to)
    if equipment is None:
        return
    doubts = [*_doubts(equipment, measured_at), *_elsewhere(batch, equipment, measured_at)]
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


def _elsewhere(batch: Batch, equipment: Equipment, measured_at: datetime) -> list[str]:
    """Say for which other batches the equipment was in use then, when it was not for this one."""
    in_use = EquipmentAssignment.objects.filter(
        Q(use__used_until=None) | Q(use__used_until__gt=measured_at),
        equipment=equipment, use__used_from__lte=measured_at,
    )  # fmt: skip
    numbers = sorted(set(in_use.values_list("batch__number", flat=True)))
    if not numbers or batch.number in numbers:
        return []
    return [f"it was in use for {', '.join(numbers)} then"]
