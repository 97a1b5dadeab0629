"""Phases in the admin: each with its buttons, and what was entered in it."""

from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from batches.assets.models import Equipment, MaterialLot
from batches.execution import (
    calculating,
    charges,
    entry_forms,
    equipment_use,
    examinations,
    in_process,
    material_accounts,
    phases,
    remarks,
)
from batches.execution.charges import Weighed
from batches.execution.entry_forms import PersonUnknown
from batches.execution.in_process import Entry, ValueInvalid
from batches.execution.material_accounts import Account
from batches.execution.models import BatchPhase, ExaminationKind
from batches.execution.states import PHASE_ALLOWED, PhaseStep
from batches.quantities.units import Quantity
from compliance.access import acts, page_parts, record_admin
from compliance.access.acts import Act, Done, Occasion
from compliance.access.duties import Duty
from compliance.access.page_parts import Facts, Page, Section, Text
from compliance.access.record_admin import RecordAdmin
from compliance.refusals import Refused
from compliance.signatures import manifestations
from compliance.signatures.forms import SignForm, confirmed


class NotFound(Refused):
    """There is no record of this name."""

    code = "not-found"
    status = 422


def _mover(step: PhaseStep) -> Act:
    def call(occasion: Occasion) -> Done:
        phases.move(
            occasion.record, step, performed_at=entry_forms.moment(occasion), actor=occasion.actor,
            text=occasion.values["text"], late_entry=entry_forms.late(occasion), at=occasion.at,
        )  # fmt: skip
        return Done(f"Recorded: {step.value}.")

    return Act(
        step.name.lower(), step.value.capitalize(), Duty.RECORD_EXECUTION, call,
        form=entry_forms.WhyForm, is_offered=lambda phase: step in PHASE_ALLOWED[phase.state],
        is_grave=step == PhaseStep.ABORT,
    )  # fmt: skip


def _verify(occasion: Occasion) -> Done:
    phases.verify(occasion.record, confirmed=confirmed(occasion))
    return Done("The phase is verified; its record is closed.")


def _enter(occasion: Occasion) -> Done:
    given = occasion.values
    made = in_process.enter(
        occasion.record.batch, phase=occasion.record, actor=occasion.actor, at=occasion.at,
        entry=Entry(
            tag=given["tag"], value=given["value"], unit=given["unit"], convert=given["convert"],
            override_reason=given["override_reason"], performed_at=entry_forms.moment(occasion),
        ),
        late_entry=entry_forms.late(occasion),
    )  # fmt: skip
    return Done(f"{made} is recorded: {made.get_standing_display().lower()}.")


def _charge(occasion: Occasion) -> Done:
    given, phase = occasion.values, occasion.record
    lots = MaterialLot.objects.select_related("material")
    made = charges.charge(
        phase.batch.materials.select_related("phase__batch", "batch").get(line=given["line"]),
        lot=_named(lots, "lot", number=given["lot"]),
        weighed=Weighed(
            net=_needed(occasion, "net"), unit=given["unit"],
            gross=entry_forms.number(occasion, "gross"), tare=entry_forms.number(occasion, "tare"),
            scale=_named(Equipment.objects, "balance", code=given["scale"]) if given["scale"] else None,
            convert=given["convert"], override_reason=given["override_reason"],
        ),
        performed_at=entry_forms.moment(occasion), actor=occasion.actor, at=occasion.at,
        verifier=entry_forms.second_person(
            occasion, given["verifier"], given["verifier_password"]
        ),
        late_entry=entry_forms.late(occasion),
    )  # fmt: skip
    return Done(f"{made.net.normalize():f} {made.unit} of {made.lot} are charged.")


def _reconcile(occasion: Occasion) -> Done:
    line, _, lot = occasion.values["charged"].partition(" ")
    nothing = Decimal(0)
    made = material_accounts.reconcile(
        occasion.record.batch.materials.select_related("phase__batch", "batch").get(line=line),
        lot=MaterialLot.objects.select_related("material").get(number=lot),
        account=Account(
            issued=_needed(occasion, "issued"), unit=occasion.values["unit"],
            returned=entry_forms.number(occasion, "returned") or nothing,
            wasted=entry_forms.number(occasion, "wasted") or nothing,
        ),
        performed_at=entry_forms.moment(occasion), actor=occasion.actor, at=occasion.at,
        late_entry=entry_forms.late(occasion),
    )  # fmt: skip
    return Done(f"Accounted for: {made.reconciliation.result} % of {made.lot}.")


def _assign(occasion: Occasion) -> Done:
    given, phase = occasion.values, occasion.record
    made = equipment_use.assign(
        phase, equipment=_named(Equipment.objects, "equipment", code=given["equipment"]),
        need=phase.batch.equipment_needs.filter(name=given["need"]).first(),
        performed_at=entry_forms.moment(occasion), actor=occasion.actor, at=occasion.at,
        late_entry=entry_forms.late(occasion),
    )  # fmt: skip
    return Done(f"{made.equipment} is used for {phase.name}.")


def _yield(occasion: Occasion) -> Done:
    made = calculating.record_yield(
        occasion.record, actual=Quantity(_needed(occasion, "value"), occasion.values["unit"]),
        actor=occasion.actor, at=occasion.at,
    )  # fmt: skip
    return Done(f"The yield is {made.result} {made.unit}, computed twice.")


def _examine(occasion: Occasion) -> Done:
    given = occasion.values
    made = examinations.examine(
        occasion.record, kind=ExaminationKind(given["kind"]), finding=given["finding"],
        is_conforming=given["is_conforming"], performed_at=entry_forms.moment(occasion),
        actor=occasion.actor, at=occasion.at, late_entry=entry_forms.late(occasion),
    )  # fmt: skip
    return Done(f"Recorded: {made.get_kind_display().lower()}.")


def _remark(occasion: Occasion) -> Done:
    remarks.add(
        occasion.record.batch, phase=occasion.record, text=occasion.values["text"],
        actor=occasion.actor, at=occasion.at,
    )  # fmt: skip
    return Done("The comment is added.")


def _named(found: Any, what: str, **name: str) -> Any:
    record = found.filter(**name).first()
    if record is None:
        raise NotFound(f"there is no {what} “{next(iter(name.values()))}”")
    return record


def _needed(occasion: Occasion, name: str) -> Any:
    found = entry_forms.number(occasion, name)
    if found is None:
        raise ValueInvalid(f"{name} is needed")
    return found


def _is_open(phase: BatchPhase) -> bool:
    return PhaseStep.ENTER in PHASE_ALLOWED[phase.state] and phase.verified_by_id is None


def _parameters(phase: BatchPhase) -> list[tuple[str, str]]:
    found = phase.batch.parameters.exclude(kind="result").order_by("tag")
    return [(one.tag, f"{one.name} ({one.unit})") for one in found]


def _lines(phase: BatchPhase) -> list[tuple[str, str]]:
    return [
        (str(one.line), f"{one.line}: {one.material_code}, {one.quantity.normalize():f} {one.unit}")
        for one in phase.materials.order_by("line")
    ]


def _unreconciled(phase: BatchPhase) -> list[tuple[str, str]]:
    """Return each line and lot that people charged in a phase and nobody reconciled."""
    accounted = set(phase.material_accounts.values_list("material__line", "lot__number"))
    charged = phase.charges.order_by("material__line", "lot__number").values_list(
        "material__line", "lot__number", "material__material_code"
    )
    return [
        (f"{line} {lot}", f"{lot}, line {line}: {code}")
        for line, lot, code in charged.distinct()
        if (line, lot) not in accounted
    ]


def _needs(phase: BatchPhase) -> list[tuple[str, str]]:
    found = phase.batch.equipment_needs.order_by("name")
    return [("", "-"), *((one.name, f"{one.name} ({one.kind})") for one in found)]


acts.offer(
    BatchPhase,
    *(_mover(step) for step in PhaseStep if step not in (PhaseStep.ENTER, PhaseStep.VERIFY)),
    Act(
        "verify", "Verify", Duty.VERIFY_EXECUTION, _verify, form=SignForm,
        is_offered=lambda phase: PhaseStep.VERIFY in PHASE_ALLOWED[phase.state]
        and phase.verified_by_id is None,
        explanation="You sign that the phase was done as its record says. Whoever performed in it "
        "does not verify. Nothing is entered after it.",
    ),
    Act(
        "enter-result", "Enter a result", Duty.RECORD_EXECUTION, _enter,
        form=entry_forms.ResultForm, is_offered=_is_open, choices={"tag": _parameters},
        explanation="It is judged against its limits at once.",
    ),
    Act(
        "charge", "Charge material", Duty.CHARGE_MATERIAL, _charge, form=entry_forms.ChargeForm,
        is_offered=lambda phase: _is_open(phase) and phase.materials.exists(),
        choices={"line": _lines}, explanation="Two people: you charge, the second one verifies.",
    ),
    Act(
        "reconcile-material", "Reconcile a material", Duty.CHARGE_MATERIAL, _reconcile,
        form=entry_forms.AccountForm, choices={"charged": _unreconciled},
        is_offered=lambda phase: _is_open(phase) and bool(_unreconciled(phase)),
        explanation="What was issued is charged, returned or wasted; beyond the material's limit "
        "the difference is an exception. Nothing more of the lot is charged on the line after it.",
    ),
    Act(
        "use-equipment", "Use equipment", Duty.RECORD_EXECUTION, _assign,
        form=entry_forms.EquipmentForm, is_offered=_is_open, choices={"need": _needs},
    ),
    Act(
        "record-yield", "Record the yield", Duty.RECORD_EXECUTION, _yield,
        form=entry_forms.YieldForm,
        is_offered=lambda phase: _is_open(phase) and phase.yields.exists(),
    ),
    Act(
        "examine", "Record an examination", Duty.RECORD_EXECUTION, _examine,
        form=entry_forms.ExaminationForm, is_offered=_is_open,
        choices={"kind": lambda phase: list(ExaminationKind.choices)},
    ),
    Act("remark", "Add a comment", Duty.OPEN_DEVIATION, _remark, form=entry_forms.RemarkForm),
)  # fmt: skip
__all__ = ["BatchPhaseAdmin", "PersonUnknown"]


@admin.register(BatchPhase)
class BatchPhaseAdmin(RecordAdmin):
    list_display = ("batch", "order", "unit_procedure", "name", "state", "started_at", "ended_at")
    search_fields = ("batch__number", "name", "unit_procedure")
    list_filter = ("state", "needs_verification", "unit_procedure")
    list_select_related = ("batch",)
    badges = ("state",)
    date_hierarchy = "started_at"
    ordering = ("-batch__pk", "order")
    empty_text = "No phase yet. Phases come with the batch that is issued."

    def page(self, record: BatchPhase, request: HttpRequest) -> Page:
        badges = [page_parts.state(record.state, record.get_state_display())]
        if record.verified_by is not None:
            badges.append(page_parts.badge("Verified", "good"))
        elif record.needs_verification:
            badges.append(page_parts.badge("To be verified", "warn"))
        facts = Facts(
            [
                ("Batch", record_admin.link(record.batch)),
                ("Unit procedure", record.unit_procedure),
                ("Operation", record.operation),
                ("Procedure", record.procedure),
                ("Equipment", record.equipment_kind),
                ("Started", _by(record.started_at, record.started_by)),
                ("Ended", _by(record.ended_at, record.ended_by)),
                ("Verified", _by(record.verified_at, record.verified_by)),
            ]
        )
        sections = [
            Section("Phase", [facts], is_wide=False),
            Section("Instruction", [Text(record.instruction or "None.")], is_wide=False),
            manifestations.section(record),
        ]
        return Page(f"{record.order} {record.name}", record.batch.number, badges, sections)


def _by(at: Any, person: Any) -> str:
    return f"{page_parts.moment(at)}{f' by {person}' if person else ''}"
