"""What people add on the page of a phase with a file or a place: labels, samples drawn, files."""

import uuid
from collections.abc import Callable
from typing import Any

from django import forms

from batches.execution import entry_forms, events, examinations, files, states
from batches.execution.events import Reported
from batches.execution.examinations import Count
from batches.execution.files import Content
from batches.execution.models import Batch, BatchPhase, EventKind
from batches.execution.states import PHASE_ALLOWED, PhaseStep, Step
from compliance.access import acts
from compliance.access.acts import Act, Done, Occasion
from compliance.access.duties import Duty

COUNTS = ("issued", "used", "returned", "destroyed", "sampled")


def _count(*, is_needed: bool) -> forms.IntegerField:
    return forms.IntegerField(min_value=0, initial=None if is_needed else 0)


class LabelsForm(entry_forms.EntryForm):
    code = forms.ChoiceField(label="Label")
    issued = _count(is_needed=True)
    used = _count(is_needed=True)
    returned = _count(is_needed=False)
    destroyed = _count(is_needed=False)
    sampled = _count(is_needed=False)
    specimen = forms.FileField(
        help_text="A scan or picture of one label as it was used; it is kept by its digest."
    )


class SamplingForm(entry_forms.EntryForm):
    point = forms.ChoiceField(label="Point of the sampling plan")
    text = forms.CharField(label="Remark", required=False, max_length=2000)


class FileForm(forms.Form):
    title = forms.CharField(min_length=8, max_length=200, help_text="What the file shows.")
    file = forms.FileField(help_text="It is kept by its digest and never overwritten.")


def _content(given: Any) -> Content:
    return Content(given.name, given.content_type or "", given.read())


def _account(occasion: Occasion) -> Done:
    given, phase = occasion.values, occasion.record
    made = examinations.account_labels(
        phase.batch.labels.get(code=given["code"]),
        phase=phase,
        count=Count(**{name: given[name] for name in COUNTS}),
        specimen=_content(given["specimen"]),
        performed_at=entry_forms.moment(occasion),
        late_entry=entry_forms.late(occasion),
        actor=occasion.actor,
        at=occasion.at,
    )
    return Done(f"Accounted for: {made.reconciliation.result} % of the labels of {made.label}.")


def _sample(occasion: Occasion) -> Done:
    given, phase = occasion.values, occasion.record
    moment = entry_forms.moment(occasion)
    reported = Reported(
        kind=EventKind.SAMPLING, occurred_at=moment, occurred_text=moment.isoformat(),
        phase=f"{phase.unit_procedure}/{phase.name}", text=given["text"],
        details={"point": given["point"]},
    )  # fmt: skip
    events.record(
        phase.batch, reported=reported, message_id=str(uuid.uuid4()), actor=occasion.actor,
        at=occasion.at, late_entry=entry_forms.late(occasion),
    )  # fmt: skip
    return Done(f"A sample was drawn: {given['point']}. The laboratory registers it.")


def _attach(occasion: Occasion) -> Done:
    record = occasion.record
    phase = record if isinstance(record, BatchPhase) else None
    files.attach(
        record.batch if phase else record, phase=phase, content=_content(occasion.values["file"]),
        title=occasion.values["title"], actor=occasion.actor, at=occasion.at,
    )  # fmt: skip
    return Done("The file is attached.")


def _is_open(phase: BatchPhase) -> bool:
    return PhaseStep.ENTER in PHASE_ALLOWED[phase.state] and phase.verified_by_id is None


def _has_labels(phase: BatchPhase) -> bool:
    return _is_open(phase) and phase.batch.labels.exists()


def _has_points(phase: BatchPhase) -> bool:
    return _is_open(phase) and phase.batch.sampling.exists()


def _labels(phase: BatchPhase) -> list[tuple[str, str]]:
    return [(one.code, f"{one.code} v{one.version}") for one in phase.batch.labels.order_by("code")]


def _points(phase: BatchPhase) -> list[tuple[str, str]]:
    found = phase.batch.sampling.select_related("phase").order_by("phase__order", "name")
    return [(one.name, f"{one.name}: {one.count}, {one.timing}") for one in found]


def _file(is_offered: Callable[[Any], bool]) -> Act:
    return Act(
        "attach-file", "Attach a file", Duty.RECORD_EXECUTION, _attach, form=FileForm,
        is_offered=is_offered,
    )  # fmt: skip


acts.offer(Batch, _file(lambda batch: states.is_possible(batch, Step.RECORD_EVENT)))
acts.offer(
    BatchPhase,
    Act(
        "account-labels", "Account for labels", Duty.RECORD_EXECUTION, _account, form=LabelsForm,
        is_offered=_has_labels, choices={"code": _labels},
        explanation="Every label that was issued is somewhere; what is missing is an exception.",
    ),
    Act(
        "draw-sample", "Record a sampling", Duty.RECORD_EXECUTION, _sample, form=SamplingForm,
        is_offered=_has_points, choices={"point": _points},
    ),
    _file(_is_open),
)  # fmt: skip
