"""Exceptions and entries in the admin, with the acts of the second person."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from batches.execution import entry_forms, equipment_use, exceptions, verification
from batches.execution.models import (
    BatchException,
    Calculation,
    Charge,
    EquipmentAssignment,
    Examination,
    InProcessResult,
    LabelUse,
    MaterialAccount,
)
from compliance.access import acts, page_parts, record_admin
from compliance.access.acts import Act, ConfirmForm, Done, Occasion
from compliance.access.duties import Duty
from compliance.access.page_parts import Cell, Facts, Page, Part, Section, Text
from compliance.access.record_admin import RecordAdmin
from compliance.quality.models import Deviation
from compliance.signatures import manifestations
from compliance.signatures.forms import SignForm, confirmed


class DeviationForm(forms.Form):
    deviation = forms.ChoiceField()


def _assess(occasion: Occasion) -> Done:
    exceptions.assess(
        occasion.record, confirmed=confirmed(occasion), assessment=occasion.values["assessment"]
    )
    return Done("The exception is assessed.")


def _link(occasion: Occasion) -> Done:
    deviation = Deviation.objects.get(pk=occasion.values["deviation"])
    exceptions.link(occasion.record, deviation=deviation, actor=occasion.actor, at=occasion.at)
    return Done(f"{deviation} investigates it.")


def _linkable(exception: BatchException) -> list[tuple[str, str]]:
    found = exception.batch.deviations.order_by("-pk")
    return [(str(one.pk), f"{one.number} {one.title}") for one in found]


def _verify(occasion: Occasion) -> Done:
    verification.verify(occasion.record, confirmed=confirmed(occasion))
    return Done("The entry is verified.")


def _give_back(occasion: Occasion) -> Done:
    equipment_use.give_back(occasion.record, actor=occasion.actor, at=occasion.at)
    return Done("The use has ended. Clean it before the next one.")


acts.offer(
    BatchException,
    Act(
        "link-deviation", "Link its deviation", Duty.OPEN_DEVIATION, _link, form=DeviationForm,
        choices={"deviation": _linkable},
        is_offered=lambda one: one.is_open and one.deviation_id is None,
        explanation="A deviation that is linked to the batch already.",
    ),
    Act(
        "assess", "Assess", Duty.INVESTIGATE, _assess, form=entry_forms.AssessmentForm,
        is_offered=lambda one: one.is_open,
        explanation="You sign what it means. A missed limit needs its deviation linked before.",
    ),
)  # fmt: skip
for model in (InProcessResult, Examination, LabelUse, MaterialAccount):
    acts.offer(
        model,
        Act(
            "verify", "Verify", Duty.VERIFY_EXECUTION, _verify, form=SignForm,
            is_offered=lambda one: one.verified_by_id is None,
            explanation="You sign that the entry is what its source says.",
        ),
    )  # fmt: skip
acts.offer(
    EquipmentAssignment,
    Act(
        "give-back", "End its use", Duty.RECORD_EXECUTION, _give_back, form=ConfirmForm,
        is_offered=lambda one: one.use.used_until is None,
    ),
)  # fmt: skip


@admin.register(BatchException)
class BatchExceptionAdmin(RecordAdmin):
    list_display = ("detected_at", "batch", "kind", "text", "is_critical", "state", "deviation")
    search_fields = ("batch__number", "text", "deviation__number")
    list_filter = ("state", "kind", "is_critical")
    list_select_related = ("batch", "deviation")
    badges = ("state",)
    date_hierarchy = "detected_at"
    ordering = ("-pk",)
    empty_text = "No exception was flagged yet. Entries flag them as they are made."

    def page(self, record: BatchException, request: HttpRequest) -> Page:
        facts = Facts(
            [
                ("Batch", record_admin.link(record.batch)),
                ("Phase", record_admin.link(record.phase)),
                ("Clause", record.clause),
                ("About", record.subject),
                ("Caused by", str(record.caused_by or "")),
                ("Detected", page_parts.moment(record.detected_at)),
                ("Deviation", record_admin.link(record.deviation)),
                ("Assessed", page_parts.moment(record.assessed_at)),
                ("Assessed by", str(record.assessed_by or "")),
            ]
        )
        tone = "busy" if record.is_open else "good"
        badges = [page_parts.badge(record.get_state_display(), tone)]  # type: ignore[arg-type]
        parts: list[Part] = [facts, Text(record.text, label="What departs")]
        if record.assessment:
            parts.append(Text(record.assessment, label="Assessment"))
        sections = [Section("Exception", parts), manifestations.section(record)]
        return Page(str(record), record.get_kind_display(), badges, sections)


_SEARCHED: tuple[str, ...] = ("batch__number", "performed_by__username")
_JOINED: tuple[str, ...] = ("batch", "performed_by", "verified_by")


class _EntryAdmin(RecordAdmin):
    """An entry with its signatures."""

    search_fields = _SEARCHED
    date_hierarchy = "performed_at"
    ordering = ("-pk",)
    list_select_related = _JOINED

    def page(self, record: Any, request: HttpRequest) -> Page:
        shown = super().page(record, request)
        return Page(shown.title, "", [], [*shown.sections, manifestations.section(record)])


@admin.register(InProcessResult)
class InProcessResultAdmin(_EntryAdmin):
    list_display = (
        "performed_at", "batch", "parameter", "written", "standing", "performed_by",
        "verified_by",
    )  # fmt: skip
    list_filter = ("standing",)
    search_fields = (*_SEARCHED, "parameter__tag")
    list_select_related = (*_JOINED, "parameter__batch")
    empty_text = "No in-process result yet. Enter one on the page of a phase."

    @admin.display(description="Value", ordering="value")
    def written(self, record: InProcessResult) -> Cell:
        """Write the value, marked where it is outside its limits."""
        text = f"{record.value_text} {record.unit}"
        return text if record.standing == "within" else page_parts.alarm(text)


@admin.register(Charge)
class ChargeAdmin(_EntryAdmin):
    list_display = (
        "performed_at", "batch", "material", "lot", "net", "unit", "performed_by", "verified_by",
    )  # fmt: skip
    search_fields = (*_SEARCHED, "lot__number", "material__material_code")
    list_select_related = (*_JOINED, "lot", "material__batch")
    empty_text = "Nothing was charged yet. Charge material on the page of a phase."


@admin.register(EquipmentAssignment)
class EquipmentAssignmentAdmin(_EntryAdmin):
    list_display = ("performed_at", "batch", "phase", "equipment", "state_text", "performed_by")
    search_fields = (*_SEARCHED, "equipment__code")
    list_select_related = ("batch", "phase__batch", "equipment", "performed_by")
    empty_text = "No equipment was used yet. Use it on the page of a phase."


@admin.register(Examination)
class ExaminationAdmin(_EntryAdmin):
    list_display = ("performed_at", "batch", "kind", "is_conforming", "performed_by", "verified_by")
    list_filter = ("kind", "is_conforming")
    empty_text = "Nothing was examined yet. Record it on the page of a phase."


@admin.register(LabelUse)
class LabelUseAdmin(_EntryAdmin):
    list_display = (
        "performed_at", "batch", "label", "issued", "used", "returned", "destroyed",
        "performed_by", "verified_by",
    )  # fmt: skip
    list_select_related = (*_JOINED, "label__batch")
    empty_text = "No labels were accounted for yet. That is done on the page of a phase."


@admin.register(MaterialAccount)
class MaterialAccountAdmin(_EntryAdmin):
    list_display = (
        "performed_at", "batch", "material", "lot", "issued", "charged", "returned", "wasted",
        "unit", "performed_by", "verified_by",
    )  # fmt: skip
    search_fields = (*_SEARCHED, "lot__number", "material__material_code")
    list_select_related = (*_JOINED, "lot", "material__batch")
    empty_text = "No material was reconciled yet. That is done on the page of a phase."


@admin.register(Calculation)
class CalculationAdmin(RecordAdmin):
    list_display = (
        "computed_at", "batch", "subject", "formula", "written", "recomputed", "unit", "is_within",
    )  # fmt: skip
    search_fields = ("batch__number", "subject", "formula")
    list_filter = ("purpose", "is_within", "formula")
    list_select_related = ("batch",)
    date_hierarchy = "computed_at"
    ordering = ("-pk",)
    empty_text = "Nothing was computed yet. Yields are recorded on the page of a phase."

    @admin.display(description="Result", ordering="result")
    def written(self, record: Calculation) -> Cell:
        """Write what was computed, marked where it is outside its limits."""
        return str(record.result) if record.is_within else page_parts.alarm(str(record.result))
