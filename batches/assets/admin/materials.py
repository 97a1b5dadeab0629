"""Pages of materials and suppliers, with the acts that create and approve them."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone

from batches.assets import lots, materials, suppliers
from batches.assets.admin import fields
from batches.assets.materials import MaterialDraft
from batches.assets.models import Material, MaterialKind, Supplier, SupplierApproval
from batches.quantities import unit_words
from compliance.access import acts, page_parts, record_admin
from compliance.access.acts import Act, Done, Occasion
from compliance.access.duties import Duty
from compliance.access.page_parts import Cell, Facts, Page, Section, Table
from compliance.access.record_admin import RecordAdmin


class MaterialForm(forms.Form):
    code = fields.text("Code", 40)
    name = fields.text("Name", 200)
    unit = fields.text(
        "Unit", 30, help_text="UCUM code, e.g. kg; all of its lots are counted in it."
    )
    kind = forms.TypedChoiceField(choices=MaterialKind.choices, coerce=MaterialKind)
    retest_interval_days = forms.IntegerField(min_value=1, required=False)
    storage_conditions = fields.text("Storage conditions", 200, required=False)
    largest_receipt = fields.amount(
        "Largest plausible receipt", required=False, help_text="More than that needs a note."
    )
    reconciliation_limit_percent = forms.DecimalField(
        min_value=0, max_value=100, max_digits=6, decimal_places=3, initial=0,
        help_text="A count that differs by more opens a deviation.",
    )  # fmt: skip


class SupplierForm(forms.Form):
    code = fields.text("Code", 40)
    name = fields.text("Name", 200)
    address = fields.lines("Address", required=False)


class ApprovalForm(forms.Form):
    material = forms.ChoiceField()
    valid_from = fields.day("Valid from")
    valid_until = fields.day("Valid until", required=False)
    basis = fields.lines(
        "Basis", help_text="The audit, the certificate or the history it rests on."
    )


def _create(occasion: Occasion) -> Done:
    made = materials.create(MaterialDraft(**occasion.values), actor=occasion.actor, at=occasion.at)
    return Done(f"{made} is entered.", made)


def _register(occasion: Occasion) -> Done:
    made = suppliers.register(actor=occasion.actor, at=occasion.at, **occasion.values)
    return Done(f"{made} is registered. Approve it for its materials.", made)


def _approve(occasion: Occasion) -> Done:
    said = dict(occasion.values)
    said["material"] = Material.objects.get(pk=said["material"])
    suppliers.approve(occasion.record, actor=occasion.actor, at=occasion.at, **said)
    return Done(f"{occasion.record} is approved for {said['material']}.")


def _end(occasion: Occasion) -> Done:
    suppliers.end_approval(
        occasion.record, actor=occasion.actor, at=occasion.at, reason=occasion.values["reason"]
    )
    return Done("The approval has ended.", occasion.record.supplier)


def _materials(record: Any) -> list[tuple[str, str]]:
    return [(str(one.pk), f"{one.code} {one.name}") for one in Material.objects.order_by("code")]


def _is_in_force(approval: SupplierApproval) -> bool:
    return approval.ended_on is None


def _today(record: Any) -> dict[str, Any]:
    return {"valid_from": timezone.now().date()}


acts.offer(
    Material,
    Act(
        "create", "Enter a material", Duty.AUTHOR_SPECIFICATION, _create, form=MaterialForm,
        is_for_list=True, explanation="Its code, kind and unit never change.",
    ),
)  # fmt: skip
acts.offer(
    Supplier,
    Act(
        "register", "Register a supplier", Duty.RELEASE_MATERIAL, _register, form=SupplierForm,
        is_for_list=True,
    ),
    Act(
        "approve", "Approve for a material", Duty.RELEASE_MATERIAL, _approve, form=ApprovalForm,
        choices={"material": _materials}, initial=_today,
    ),
)  # fmt: skip
acts.offer(
    SupplierApproval,
    Act("end", "End the approval", Duty.RELEASE_MATERIAL, _end, is_offered=_is_in_force),
)


@admin.register(Material)
class MaterialAdmin(RecordAdmin):
    list_display = ("code", "name", "kind", "unit", "retest_interval_days", "storage_conditions")
    search_fields = ("code", "name")
    list_filter = ("kind",)
    date_hierarchy = "created_at"
    ordering = ("code",)
    empty_text = "No material yet. Enter the first one here."

    def page(self, record: Material, request: HttpRequest) -> Page:
        interval = record.retest_interval_days
        largest = record.largest_receipt
        facts = Facts(
            [
                ("Kind", record.get_kind_display()),
                ("Unit", record.unit),
                ("Retest", f"every {interval} days" if interval else ""),
                ("Storage conditions", record.storage_conditions),
                ("Largest plausible receipt", amount(largest, record.unit) if largest else ""),
                (
                    "Limit of reconciliation",
                    f"{record.reconciliation_limit_percent.normalize():f} %",
                ),
            ]
        )
        sections = [
            Section("Material", [facts], is_wide=False),
            Section("Approved suppliers", [_approvals(record.approvals)], is_wide=False),
            Section("To be used first", [_first_to_expire(record)]),
        ]
        return Page(record.code, record.name, [], sections)


def amount(quantity: Any, unit: str) -> str:
    return f"{quantity.normalize():f} {unit_words.shown(unit)}"


def _first_to_expire(material: Material) -> Table:
    rows: list[list[Cell]] = [
        [
            record_admin.link(one),
            amount(one.on_hand, one.unit),  # type: ignore[attr-defined]  # the annotation
            page_parts.day(one.expires_on),
            page_parts.day(one.retest_on),
            one.location,
        ]
        for one in lots.first_to_expire(material, at=timezone.now())[:50]
    ]
    columns = ["Lot", "On hand", "Expires", "Retest", "Location"]
    return Table(columns, rows, numeric=["On hand"], empty="No lot may be used now.")


def _approvals(found: Any) -> Table:
    rows: list[list[Cell]] = [
        [
            record_admin.link(one.supplier),
            record_admin.link(one.material),
            page_parts.day(one.valid_from),
            page_parts.day(one.valid_until),
            page_parts.link("ended" if one.ended_on else "in force", record_admin.url(one)),
        ]
        for one in found.select_related("supplier", "material").order_by("-pk")
    ]
    columns = ["Supplier", "Material", "From", "Until", "Approval"]
    return Table(columns, rows, empty="No approval yet.")


@admin.register(Supplier)
class SupplierAdmin(RecordAdmin):
    list_display = ("code", "name", "registered_at")
    search_fields = ("code", "name")
    date_hierarchy = "registered_at"
    ordering = ("code",)
    empty_text = "No supplier yet. QA registers and approves them."

    def page(self, record: Supplier, request: HttpRequest) -> Page:
        facts = Facts(
            [("Address", record.address), ("Registered", page_parts.moment(record.registered_at))]
        )
        sections = [
            Section("Supplier", [facts], is_wide=False),
            Section("Approved for", [_approvals(record.approvals)]),
        ]
        return Page(record.code, record.name, [], sections)


@admin.register(SupplierApproval)
class SupplierApprovalAdmin(RecordAdmin):
    list_display = ("supplier", "material", "valid_from", "valid_until", "ended_on", "approved_by")
    search_fields = ("supplier__code", "supplier__name", "material__code")
    list_filter = (("ended_on", admin.EmptyFieldListFilter),)
    list_select_related = ("supplier", "material", "approved_by")
    date_hierarchy = "valid_from"
    ordering = ("-pk",)
    empty_text = "No approval yet. Approve a supplier on its page."
