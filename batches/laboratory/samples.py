"""Register the samples taken of a batch (21 CFR 211.160(b))."""

import re
from collections import defaultdict
from datetime import datetime

from batches.execution import events
from batches.execution import states as batch_states
from batches.execution.models import Batch
from batches.execution.states import Step
from batches.laboratory.actions import Action
from batches.laboratory.models import Sample
from compliance.access import authority, look_alikes
from compliance.access.authority import Principal
from compliance.access.duties import Duty
from compliance.access.models import Device
from compliance.refusals import Refused
from compliance.trail import recording

_NUMBERED = re.compile(r"(.*?)(\d{1,9})$")


class SampleKnown(Refused):
    code = "sample-known"


class SampleNumberInvalid(Refused):
    """Two numbers that a reader cannot tell apart are one to the reader."""

    code = "sample-number-invalid"
    status = 422


def take(
    batch: Batch, *, number: str, taken_at: datetime, actor: Principal, at: datetime,
    point: str = "", taken_by: str = "",
) -> Sample:  # fmt: skip
    """Register a sample; its number is unique within the batch."""
    authority.demand(actor, Duty.ENTER_RESULTS)
    events.demand_possible(taken_at, at=at)
    demand_plain(number)
    source = actor if isinstance(actor, Device) else None
    with recording.recording(
        Action.SAMPLE_TAKEN, actor=actor, at=at, reason=f"sample {number} of batch {batch.number}"
    ):
        held = batch_states.take(batch, Step.TAKE_SAMPLE)
        if Sample.objects.filter(batch=held, number=number).exists():
            raise SampleKnown(f"sample {number} of {held.number} is registered already")
        return Sample.objects.create(
            batch=held,
            number=number,
            point=point,
            taken_at=taken_at,
            taken_by=taken_by or ("" if source else actor.trail_identity().name),
            registered_at=None if source else at,
            source=source,
        )


def demand_plain(number: str) -> None:
    """Pass when every sign of a number is seen, and none is a variant of a plainer one."""
    if not number or look_alikes.plain(number) != number or look_alikes.hidden_signs(number):
        raise SampleNumberInvalid(
            f"“{number}” is no number of a sample: single spaces, and no signs that nobody sees"
        )


def missing_numbers(batch: Batch) -> list[str]:
    """Return the sample numbers that a batch's own numbering skips (data nobody recorded?).

    Numbers that end in digits form a series by what is before them; a series begins where its
    lowest number is, because laboratories number across batches.
    """
    series: dict[tuple[str, int], set[int]] = defaultdict(set)
    numbers = Sample.objects.filter(batch=batch, parent=None).values_list("number", flat=True)
    for number in numbers:
        if found := _NUMBERED.fullmatch(number):
            width = len(found[2]) if found[2].startswith("0") else 0
            series[found[1], width].add(int(found[2]))
    return [
        f"{prefix}{one:0{width}d}"
        for (prefix, width), known in sorted(series.items())
        if max(known) - min(known) < 10_000  # more is no numbering in a row
        for one in range(min(known), max(known))
        if one not in known
    ]
