"""Flag data of a device whose equipment is not fit: kept as posted, and in doubt (11.10(h)).

A device is bound to the code of the equipment that it speaks for. Where the plant keeps that
equipment here, it is qualified and calibrated, or whatever it measures waits for an investigation.
"""

from datetime import datetime

from django.db import models

from batches.assets import usability
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
    doubts = usability.doubts_of_data(equipment, at=measured_at)
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
