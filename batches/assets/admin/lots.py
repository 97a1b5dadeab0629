"""Pages of lots: whether they may be used, their ledger, their counts and their genealogy."""

from typing import Any

from django.contrib import admin
from django.contrib.admin import SimpleListFilter
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from batches.assets import genealogy, ledger, reconciling
from batches.assets.admin.materials import amount
from batches.assets.genealogy import Direction
from batches.assets.models import MaterialLot, Movement
from compliance.access import page_parts, record_admin
from compliance.access.page_parts import Cell, Facts, Note, Page, Part, Section, Table, Tone
from compliance.access.record_admin import RecordAdmin
from compliance.signatures import manifestations

NEWEST = 200
TONES: dict[str, Tone] = {
    "quarantine": "busy", "released": "good", "rejected": "bad", "blocked": "warn",
}  # fmt: skip


def state(lot: MaterialLot) -> SafeString:
    return page_parts.badge(lot.get_state_display(), TONES[lot.state])


class InDate(SimpleListFilter):
    """Find what has expired or is overdue for its retest."""

    title = "dates"
    parameter_name = "dates"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("past", "Expired or retest overdue")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "past":
            on = timezone.now().date()
            return queryset.filter(Q(expires_on__lt=on) | Q(retest_on__lt=on))
        return queryset


@admin.register(MaterialLot)
class MaterialLotAdmin(RecordAdmin):
    list_display = (
        "number", "material", "supplier", "standing", "on_hand", "expires_on", "retest_on",
        "location", "received_at",
    )  # fmt: skip
    search_fields = (
        "number", "supplier_lot", "material__code", "material__name", "supplier__name", "location",
    )  # fmt: skip
    list_filter = ("state", InDate, "material__kind", "material")
    list_select_related = ("material", "supplier")
    date_hierarchy = "received_at"
    ordering = ("-pk",)
    empty_text = "No lot yet. The warehouse receives deliveries here."

    def get_queryset(self, request: HttpRequest) -> QuerySet[MaterialLot]:
        return ledger.with_balance(super().get_queryset(request))

    @admin.display(description="State", ordering="state")
    def standing(self, lot: MaterialLot) -> Cell:
        return state(lot)

    @admin.display(description="On hand")
    def on_hand(self, lot: Any) -> str:
        return amount(lot.on_hand, lot.unit) if lot.on_hand is not None else "-"

    def page(self, record: MaterialLot, request: HttpRequest) -> Page:
        sections = [
            Section("Lot", [_facts(record)], is_wide=False),
            Section("May it be used now?", _usable(record), is_wide=False),
            Section("Ledger", [_account(record), *_ledger(record)]),
            Section("Counts", [_counts(record)]),
            Section("Made of", [_tree(record, "made-of")], anchor="made-of"),
            Section("Used in", [_tree(record, "used-in")], anchor="used-in"),
            manifestations.section(record),
        ]
        return Page(record.number, record.material.name, [state(record)], sections)


def _facts(lot: MaterialLot) -> Facts:
    return Facts(
        [
            ("Material", record_admin.link(lot.material)),
            ("Supplier", record_admin.link(lot.supplier)),
            ("Supplier's lot", lot.supplier_lot),
            ("Received", amount(lot.quantity, lot.unit)),
            ("Containers", str(lot.container_count)),
            ("Received at", page_parts.moment(lot.received_at)),
            ("Received by", str(lot.received_by)),
            ("Expires on", page_parts.day(lot.expires_on)),
            ("Retest on", page_parts.day(lot.retest_on)),
            ("Location", lot.location),
            ("Note of plausibility", lot.plausibility_note),
            ("Decided by", str(lot.decided_by or "")),
            ("Decided at", page_parts.moment(lot.decided_at)),
        ]
    )


def _usable(lot: MaterialLot) -> list[Part]:
    found = ledger.objections(lot, at=timezone.now())
    if not found:
        return [Note("Nothing stands against its use.", "good")]
    return [Note(one.capitalize(), "bad") for one in found]


def _account(lot: MaterialLot) -> Facts:
    account = reconciling.account(lot)
    names = ("received", "dispensed", "returned", "used", "sampled", "scrapped", "adjusted",
             "balance")  # fmt: skip
    return Facts([(name.capitalize(), amount(getattr(account, name), lot.unit)) for name in names])


def _ledger(lot: MaterialLot) -> list[Part]:
    found = list(lot.movements.order_by("-sequence")[: NEWEST + 1])
    parts: list[Part] = []
    if len(found) > NEWEST:
        every = f"{record_admin.list_url(Movement)}?lot__id__exact={lot.pk}"
        parts.append(Note(page_parts.link(f"The newest {NEWEST} lines; show all", every)))
    rows: list[list[Cell]] = [
        [
            str(one.sequence),
            page_parts.moment(one.moved_at),
            one.get_kind_display(),
            f"{one.quantity.normalize():f}",
            f"{one.balance.normalize():f}",
            one.location,
            one.reference,
            one.reason,
            one.moved_by,
        ]
        for one in found[:NEWEST]
    ]
    columns = ["No.", "At", "What", "Quantity", "Balance", "Location", "For", "Reason", "By"]
    parts.append(Table(columns, rows, numeric=["No.", "Quantity", "Balance"]))
    return parts


def _counts(lot: MaterialLot) -> Table:
    rows: list[list[Cell]] = [
        [
            page_parts.moment(one.counted_at),
            f"{one.counted.normalize():f}",
            f"{one.book.normalize():f}",
            page_parts.badge("within limit", "good")
            if one.is_within_limit
            else page_parts.badge("outside limit", "bad"),
            one.explanation,
            one.counted_by.username,
            record_admin.link(one.deviation),
        ]
        for one in lot.counts.select_related("counted_by", "deviation").order_by("-pk")
    ]
    columns = ["At", "Counted", "Book", "Result", "Explanation", "By", "Deviation"]
    return Table(columns, rows, numeric=["Counted", "Book"], empty="It was not counted yet.")


def _tree(lot: MaterialLot, direction: Direction) -> Table:
    rows: list[list[Cell]] = [
        [
            format_html("{}{}", "\u2003" * (node.depth - 1) + "\u2514 ", _linked(node)),
            f"{node.material} {node.material_name}",
            f"{node.quantity.normalize():f} {node.unit}",
            page_parts.badge(node.state.capitalize(), TONES[node.state]),
        ]
        for node in genealogy.tree(lot, direction)
    ]
    empty = "Of no other lot." if direction == "made-of" else "In no other lot."
    return Table(["Lot", "Material", "Quantity", "State"], rows, numeric=["Quantity"], empty=empty)


def _linked(node: genealogy.Node) -> Cell:
    return page_parts.link(node.number, record_admin.url(MaterialLot(pk=node.pk)))


@admin.register(Movement)
class MovementAdmin(RecordAdmin):
    list_display = (
        "lot", "sequence", "kind", "quantity", "balance", "location", "reference", "moved_at",
        "moved_by",
    )  # fmt: skip
    search_fields = ("lot__number", "lot__material__code", "reference", "reason", "moved_by")
    list_filter = ("kind",)
    list_select_related = ("lot",)
    date_hierarchy = "moved_at"
    ordering = ("-pk",)
    empty_text = "No movement yet. They begin with the receipt of a lot."
