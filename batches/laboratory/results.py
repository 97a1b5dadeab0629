"""Report results of samples; a correction is a new version with a reason (21 CFR 211.194)."""

import re
from datetime import datetime
from decimal import Decimal

from batches.execution import events, signals, states
from batches.execution.states import Step
from batches.laboratory.actions import Action
from batches.laboratory.models import Result, Sample
from batches.recipes.models import Parameter, ParameterKind
from compliance.access import authority
from compliance.access.authority import Principal
from compliance.access.duties import Duty
from compliance.access.models import Device
from compliance.refusals import Refused
from compliance.trail import recording

_NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,9})?")


class ResultInvalid(Refused):
    """The result names an unknown test, another unit, or no number."""

    code = "result-invalid"
    status = 422


class ResultReported(Refused):
    """There is a version already; replacing it takes the next version and a reason."""

    code = "result-reported"


def report(
    sample: Sample, *, tag: str, value_text: str, unit: str, reported_at: datetime, message_id: str,
    actor: Principal, at: datetime, analyst: str = "", version: int = 1, reason: str = "",
) -> Result:  # fmt: skip
    """Record one result as reported; raise `ResultInvalid` or `ResultReported`."""
    authority.demand(actor, Duty.ENTER_RESULTS)
    value = _checked_value(sample, tag, value_text, unit)
    events.demand_possible(reported_at, at=at)
    if reported_at < sample.taken_at:
        raise ResultInvalid(f"sample {sample.number} was taken after the result was reported")
    source = actor if isinstance(actor, Device) else None
    correction = recording.demand_reason(reason) if version > 1 else reason.strip()
    with recording.recording(
        Action.RESULT_CORRECTED if version > 1 else Action.RESULT_REPORTED,
        actor=actor,
        at=at,
        reason=correction or f"{tag} of sample {sample.number}",
    ):
        states.hold(sample.batch, Step.REPORT_RESULT)
        # Two reports of one sample at once: the second one waits, and sees the first.
        Sample.objects.select_for_update(no_key=True).get(pk=sample.pk)
        if source and Result.objects.filter(source=source, message_id=message_id).exists():
            raise events.MessageKnown(f"{source} has sent another result as {message_id} before")
        last = Result.objects.filter(sample=sample, tag=tag).order_by("-version").first()
        expected = last.version + 1 if last else 1
        if version != expected:
            raise ResultReported(
                f"{tag} of sample {sample.number} is at version {expected - 1}: the next one is "
                f"version {expected}" + (", with a reason" if last else "")
            )
        result = Result.objects.create(
            sample=sample,
            tag=tag,
            version=version,
            value_text=value_text,
            value=value,
            unit=unit,
            analyst=analyst or ("" if source else actor.trail_identity().name),
            reported_at=reported_at,
            recorded_at=at,
            reason=correction,
            source=source,
            message_id=message_id,
        )
        signals.announce(batch_id=sample.batch_id, kind="result", record_id=result.pk)
    return result


def _checked_value(sample: Sample, tag: str, value_text: str, unit: str) -> Decimal:
    parameters = Parameter.objects.filter(
        recipe__batches=sample.batch_id, kind=ParameterKind.RESULT
    )
    units = dict(parameters.values_list("tag", "unit"))
    if tag not in units:
        known = ", ".join(sorted(units)) or "none"
        raise ResultInvalid(f"“{tag}” is no test of the recipe; known: {known}")
    if unit != units[tag]:
        raise ResultInvalid(f"{tag} is reported in {units[tag]}, got “{unit}”")
    if not _NUMBER.fullmatch(value_text):
        raise ResultInvalid(
            f"{tag}: “{value_text}” is no decimal number of at most 15 digits before and 9 after "
            "the point"
        )
    return Decimal(value_text)
