"""What people do on the pages of lots: receive, decide, move and count."""

from decimal import Decimal
from typing import Any

from django import forms
from django.utils import timezone

from batches.assets import ledger, lot_states, lots, reconciling
from batches.assets.admin import fields
from batches.assets.ledger import Line
from batches.assets.lot_states import LotStep
from batches.assets.lots import Receipt
from batches.assets.models import Material, MaterialLot, MovementKind, Supplier
from compliance.access import acts
from compliance.access.acts import Act, Done, Occasion, ReasonForm
from compliance.access.duties import Duty
from compliance.signatures.forms import SignForm, SignWithReasonForm, confirmed


class ReceiveForm(forms.Form):
    material = forms.ChoiceField()
    supplier = forms.ChoiceField()
    supplier_lot = fields.text("Supplier's lot number", 100)
    number = fields.text("Our number", 60, required=False, help_text="Empty: the next one.")
    quantity = fields.amount("Quantity")
    unit = fields.text("Unit", 30)
    container_count = forms.IntegerField(label="Containers", min_value=1, initial=1)
    received_at = fields.moment("Received at")
    expires_on = fields.day("Expires on", required=False)
    retest_on = fields.day("Retest on", required=False)
    location = fields.text("Location", 100)
    plausibility_note = fields.text(
        "Note", 1000, required=False, help_text="Why it is right, when something looks wrong."
    )


class ReleaseForm(ReasonForm, SignForm):
    retest_on = fields.day(
        "Next retest on", required=False, help_text="After a retest that passed; else empty."
    )
    field_order = ("retest_on", "reason", "password")


class DatesForm(ReasonForm):
    expires_on = fields.day("Expires on", required=False)
    retest_on = fields.day("Retest on", required=False)
    field_order = ("expires_on", "retest_on", "reason")


class MoveForm(ReasonForm):
    quantity = fields.amount("Quantity")
    unit = fields.text("Unit", 30)
    reference = fields.text("Reference", 100, required=False, help_text="E.g. the batch.")
    field_order = ("quantity", "unit", "reference", "reason")


class PlaceForm(ReasonForm):
    location = fields.text("New location", 100)
    field_order = ("location", "reason")


class CountForm(forms.Form):
    counted = fields.amount("Counted", min_value=0)
    unit = fields.text("Unit", 30)
    explanation = fields.lines("Explanation", min_length=8)


def _receive(occasion: Occasion) -> Done:
    said = dict(occasion.values)
    material = Material.objects.get(pk=said.pop("material"))
    said["supplier"] = Supplier.objects.get(pk=said["supplier"])
    lot = lots.receive(material, receipt=Receipt(**said), actor=occasion.actor, at=occasion.at)
    return Done(f"{lot} is in quarantine until QA releases it.", lot)


def _release(occasion: Occasion) -> Done:
    lot = lots.release(
        occasion.record, confirmed=confirmed(occasion), reason=occasion.values["reason"],
        retest_on=occasion.values["retest_on"],
    )  # fmt: skip
    return Done(f"{lot} is released.")


def _reject(occasion: Occasion) -> Done:
    lots.reject(occasion.record, confirmed=confirmed(occasion), reason=occasion.values["reason"])
    return Done(f"{occasion.record} is rejected.")


def _set_aside(how: Any, message: str) -> Any:
    def call(occasion: Occasion) -> Done:
        how(occasion.record, actor=occasion.actor, at=occasion.at, reason=occasion.values["reason"])
        return Done(f"{occasion.record} {message}.")

    return call


def _dates(occasion: Occasion) -> Done:
    lots.change_dates(occasion.record, actor=occasion.actor, at=occasion.at, **occasion.values)
    return Done(f"The dates of {occasion.record} are changed.")


def _move(kind: MovementKind) -> Any:
    def call(occasion: Occasion) -> Done:
        said = dict(occasion.values)
        added = ledger.move(
            occasion.record, kind, quantity=said.pop("quantity", Decimal(0)),
            unit=said.pop("unit", occasion.record.unit), line=Line(**said), actor=occasion.actor,
            at=occasion.at,
        )  # fmt: skip
        return Done(
            f"{occasion.record} holds {added.balance.normalize():f} {occasion.record.unit}."
        )

    return call


def _count(occasion: Occasion) -> Done:
    made = reconciling.count(
        occasion.record, actor=occasion.actor, at=occasion.at, **occasion.values
    )
    about = f" It is outside the limit: {made.deviation} is open." if made.deviation else ""
    return Done(f"The count is recorded.{about}")


def _may(step: LotStep) -> Any:
    return lambda lot: step in lot_states.ALLOWED[lot.state]


def _materials(record: Any) -> list[tuple[str, str]]:
    return [
        (str(one.pk), f"{one.code} {one.name} ({one.unit})")
        for one in Material.objects.order_by("code")
    ]


def _suppliers(record: Any) -> list[tuple[str, str]]:
    return [(str(one.pk), f"{one.code} {one.name}") for one in Supplier.objects.order_by("code")]


def _now(record: Any) -> dict[str, Any]:
    return {"received_at": timezone.now()}


def _present_dates(lot: MaterialLot) -> dict[str, Any]:
    return {"expires_on": lot.expires_on, "retest_on": lot.retest_on}


def _unit(lot: MaterialLot) -> dict[str, Any]:
    return {"unit": lot.unit}


def _movement(name: str, label: str, kind: MovementKind, duty: Duty, explanation: str = "") -> Act:
    return Act(
        name, label, duty, _move(kind), form=MoveForm, is_offered=_may(ledger.STEPS[kind]),
        initial=_unit, explanation=explanation,
    )  # fmt: skip


acts.offer(
    MaterialLot,
    Act(
        "receive", "Receive a delivery", Duty.RECEIVE_MATERIAL, _receive, form=ReceiveForm,
        is_for_list=True, initial=_now, choices={"material": _materials, "supplier": _suppliers},
        explanation="It waits in quarantine until another person, of QA, releases it.",
    ),
    Act(
        "release", "Release", Duty.RELEASE_MATERIAL, _release, form=ReleaseForm,
        is_offered=_may(LotStep.RELEASE), is_grave=True,
        explanation="Whoever received it does not release it; its supplier must be approved.",
    ),
    Act(
        "reject", "Reject", Duty.RELEASE_MATERIAL, _reject, form=SignWithReasonForm,
        is_offered=_may(LotStep.REJECT), is_grave=True, explanation="It is never used again.",
    ),
    Act(
        "block", "Block", Duty.RELEASE_MATERIAL, _set_aside(lots.block, "is blocked"),
        is_offered=_may(LotStep.BLOCK),
    ),
    Act(
        "quarantine", "Put into quarantine", Duty.RELEASE_MATERIAL,
        _set_aside(lots.quarantine, "is in quarantine"), is_offered=_may(LotStep.QUARANTINE),
    ),
    Act(
        "dates", "Change expiry or retest", Duty.RELEASE_MATERIAL, _dates, form=DatesForm,
        is_offered=_may(LotStep.CHANGE_DATES), initial=_present_dates, is_replacing=True,
        explanation="The dates of a released lot are only brought forward.",
    ),
    _movement("dispense", "Dispense", MovementKind.DISPENSED, Duty.CHARGE_MATERIAL),
    _movement("issue", "Dispense to production", MovementKind.DISPENSED, Duty.RECEIVE_MATERIAL),
    _movement("return", "Return", MovementKind.RETURNED, Duty.RECEIVE_MATERIAL),
    _movement("sample", "Take a sample", MovementKind.SAMPLED, Duty.ENTER_RESULTS),
    _movement("scrap", "Scrap", MovementKind.SCRAPPED, Duty.RECEIVE_MATERIAL),
    _movement(
        "adjust", "Adjust", MovementKind.ADJUSTED, Duty.RECEIVE_MATERIAL,
        "A signed amount: what is missing is negative.",
    ),
    Act(
        "move", "Move", Duty.RECEIVE_MATERIAL, _move(MovementKind.MOVED), form=PlaceForm,
        is_offered=_may(LotStep.MOVE),
    ),
    Act(
        "count", "Count", Duty.RECEIVE_MATERIAL, _count, form=CountForm,
        is_offered=_may(LotStep.COUNT), initial=_unit,
        explanation="The ledger is adjusted to the count; beyond the limit a deviation is opened.",
    ),
)  # fmt: skip
