"""Record area clearances and examinations of packages, and account for labels (211.125 to 211.134)."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from batches.execution import calculating, exceptions, files, late, states, training_gate
from batches.execution.actions import Action
from batches.execution.files import Content
from batches.execution.late import Late
from batches.execution.models import (
    BatchLabel,
    BatchPhase,
    Examination,
    ExaminationKind,
    ExceptionKind,
    LabelUse,
)
from batches.quantities.limits import Range
from compliance.access import authority
from compliance.access.duties import Duty
from compliance.access.models import User
from compliance.refusals import Refused
from compliance.trail import recording

# 21 CFR 211.125(c): narrow limits, set from historical operating data; without any, all are counted.
LABEL_LIMIT = Range(Decimal(100), Decimal(100))


class SpecimenDiffers(Refused):
    """The specimen is not the one that the recipe approved (21 CFR 211.188(b)(8))."""

    code = "specimen-differs"


class LabelOfAnotherBatch(Refused):
    code = "label-of-another-batch"


@dataclass(frozen=True, kw_only=True)
class Count:
    """How many labels were issued, and where they went."""

    issued: int
    used: int
    returned: int = 0
    destroyed: int = 0
    sampled: int = 0


def examine(
    phase: BatchPhase, *, kind: ExaminationKind, is_conforming: bool, finding: str,
    performed_at: datetime, actor: User, at: datetime, late_entry: Late | None = None,
) -> Examination:  # fmt: skip
    """Record what was looked at and found; what does not conform is an exception."""
    authority.demand(actor, Duty.RECORD_EXECUTION)
    text = recording.demand_reason(finding)
    timed = late.demand(performed_at=performed_at, actor=actor, at=at, late=late_entry)
    with recording.recording(
        Action.EXAMINED, actor=actor, at=at, reason=f"{kind.label.lower()} at {phase}"
    ):
        held = states.enter(phase)
        training_gate.demand(actor, phase=held, at=at)
        made = Examination.objects.create(
            batch=held.batch, phase=held, kind=kind, is_conforming=is_conforming, finding=text,
            **timed.columns,
        )  # fmt: skip
        late.witness(made, late=late_entry)
        exceptions.flag_late(held.batch, made, by=actor, reason=timed.late_reason, at=at)
        if not is_conforming:
            exceptions.flag(
                held.batch, ExceptionKind.EXAMINATION, about=made, phase=held, by=actor, at=at,
                text=f"{kind.label}: not conforming: {text}",
            )  # fmt: skip
    return made


def account_labels(
    label: BatchLabel, *, phase: BatchPhase, count: Count, specimen: Content,
    performed_at: datetime, actor: User, at: datetime, late_entry: Late | None = None,
) -> LabelUse:  # fmt: skip
    """Account for the labels of a batch, with a specimen; every one of them is somewhere."""
    authority.demand(actor, Duty.RECORD_EXECUTION)
    timed = late.demand(performed_at=performed_at, actor=actor, at=at, late=late_entry)
    if label.batch_id != phase.batch_id:
        raise LabelOfAnotherBatch(f"{label} is not a label of {phase.batch.number}")
    with recording.recording(
        Action.LABELS_ACCOUNTED, actor=actor, at=at, reason=f"labels {label.code} of {phase}"
    ):
        held = states.enter(phase)
        training_gate.demand(actor, phase=held, at=at)
        kept = files.store(held.batch, content=specimen, actor=actor, at=at)
        if label.specimen_digest and kept.sha256 != label.specimen_digest:
            raise SpecimenDiffers(f"{specimen.filename} is not the approved specimen of {label}")
        amounts = {name: Decimal(number) for name, number in vars(count).items()}
        task = calculating.reconciliation(
            f"label {label.code}", unit="{label}", limit=LABEL_LIMIT, **amounts
        )
        computed = calculating.record(held.batch, task=task, actor=actor, at=at, phase=held)
        made = LabelUse.objects.create(
            batch=held.batch, phase=held, label=label, specimen=kept, reconciliation=computed,
            **vars(count), **timed.columns,
        )  # fmt: skip
        late.witness(made, late=late_entry)
        exceptions.flag_late(held.batch, made, by=actor, reason=timed.late_reason, at=at)
    return made
