"""Pages of messages of other systems, with what people do about those in quarantine."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse

from batches.assets.models import MaterialKind, Supplier
from batches.exchange import resolving, sender_mappings
from batches.exchange.formats.xml_reading import ACKNOWLEDGEMENT
from batches.exchange.models.messages import Message, MessageState
from batches.exchange.resolving import Delivery
from batches.execution.models import Batch
from compliance.access import acts, page_parts, record_admin
from compliance.access.acts import Act, Done, Occasion, ReasonForm
from compliance.access.duties import Duty
from compliance.access.page_parts import Cell, Facts, Note, Page, Section, Table
from compliance.access.record_admin import RecordAdmin

_COLUMNS = ["Where", "How often", "What"]


class AgainForm(ReasonForm):
    batch = forms.CharField(
        label="Batch", max_length=60, required=False, help_text="Number; empty: as it is."
    )
    mapping = forms.CharField(
        label="Mapping", max_length=60, required=False, help_text="Name; empty: as it is."
    )
    field_order = ("batch", "mapping", "reason")


class LotForm(ReasonForm):
    supplier = forms.ChoiceField()
    supplier_lot = forms.CharField(label="Supplier's lot number", max_length=100)
    received_at = forms.DateTimeField(label="Received at (UTC)")
    location = forms.CharField(max_length=100)
    container_count = forms.IntegerField(label="Containers", min_value=1, initial=1)
    expires_on = forms.DateField(required=False)
    retest_on = forms.DateField(required=False)
    plausibility_note = forms.CharField(label="Note", max_length=1000, required=False)
    field_order = ("supplier", "supplier_lot", "received_at", "location")


class MaterialForm(ReasonForm):
    kind = forms.TypedChoiceField(choices=MaterialKind.choices, coerce=MaterialKind)
    field_order = ("kind", "reason")


def _again(occasion: Occasion) -> Done:
    said = occasion.values
    batch = mapping = None
    if said["batch"]:
        batch = Batch.objects.filter(number=said["batch"]).first()
        if batch is None:
            raise resolving.NothingToReceive(f"there is no batch {said['batch']}")
    if said["mapping"]:
        mapping = sender_mappings.effective(said["mapping"])
    message = resolving.try_again(
        occasion.record, batch=batch, mapping=mapping, actor=occasion.actor, at=occasion.at,
        reason=said["reason"],
    )  # fmt: skip
    if message.state == MessageState.RESOLVED:
        return Done("The message is mapped, and resolved.")
    count = message.report["counts"]["problems"]
    return Done(f"The message is still in quarantine: {count} problems are left.")


def _dismiss(occasion: Occasion) -> Done:
    resolving.dismiss(
        occasion.record, actor=occasion.actor, at=occasion.at, reason=occasion.values["reason"]
    )
    return Done("The message is dismissed; its bytes are kept.")


def _receive(occasion: Occasion) -> Done:
    said = dict(occasion.values)
    reason = said.pop("reason")
    said["supplier"] = Supplier.objects.get(pk=said["supplier"])
    made = resolving.receive_lots(
        occasion.record, delivery=Delivery(**said), actor=occasion.actor, at=occasion.at,
        reason=reason,
    )  # fmt: skip
    return Done(f"{', '.join(map(str, made))} received into quarantine.")


def _enter(occasion: Occasion) -> Done:
    made = resolving.enter_material(
        occasion.record, actor=occasion.actor, at=occasion.at, **occasion.values
    )
    return Done(f"{', '.join(map(str, made))} entered.")


def _is_open(message: Message) -> bool:
    return message.state == MessageState.QUARANTINED


def _of(*formats: str) -> Any:
    return lambda message: _is_open(message) and message.format in formats


def _suppliers(record: Any) -> list[tuple[str, str]]:
    return [(str(one.pk), f"{one.code} {one.name}") for one in Supplier.objects.order_by("code")]


acts.offer(
    Message,
    Act(
        "try-again", "Map it again", Duty.INVESTIGATE, _again, form=AgainForm, is_offered=_is_open,
        explanation="After a unit was approved or a batch chosen. It lands in the sender's name.",
    ),
    Act(
        "receive-lots", "Receive its lots", Duty.RECEIVE_MATERIAL, _receive, form=LotForm,
        is_offered=_of("b2mml-material-lot", "b2mml-material-information"),
        choices={"supplier": _suppliers},
    ),
    Act(
        "enter-material", "Enter its material", Duty.AUTHOR_SPECIFICATION, _enter,
        form=MaterialForm,
        is_offered=_of("b2mml-material-definition", "b2mml-material-information"),
    ),
    Act(
        "dismiss", "Dismiss it", Duty.INVESTIGATE, _dismiss, is_grave=True, is_offered=_is_open,
        explanation="Nothing of it is taken over. Its bytes and its report are kept.",
    ),
)  # fmt: skip


@admin.register(Message)
class MessageAdmin(RecordAdmin):
    list_display = ("received_at", "format", "format_version", "state", "source", "size", "batch")
    badges = ("state",)
    search_fields = ("sha256", "own_id", "format", "batch__number", "source__name")
    list_filter = ("state", "format")
    list_select_related = ("source", "batch")
    date_hierarchy = "received_at"
    ordering = ("-pk",)
    empty_text = "No message in a format of another system came yet."

    def page(self, record: Message, request: HttpRequest) -> Page:
        report = record.report
        sections = [
            Section("Message", [_facts(record)]),
            Section("In the way", [_problems(report)], anchor="problems"),
            Section("Landed", [_landed(report)]),
            Section("Changed on the way in", [_lines(report, "changed", "Nothing was changed.")]),
            Section("Mapped", [_lines(report, "mapped", "Nothing was mapped.")]),
            Section("Not mapped", [_lines(report, "unmapped", "Everything was mapped.")]),
        ]
        return Page(
            f"Message {record.pk}",
            f"{record.format} {record.format_version}",
            [page_parts.state(record.state, record.get_state_display())],
            sections,
        )


def _facts(record: Message) -> Facts:
    sender = record.source or record.sent_by
    licence = ACKNOWLEDGEMENT if record.format.startswith("b2mml") else ""
    content = page_parts.link(
        f"{record.size} bytes", reverse("message-content", kwargs={"pk": record.pk})
    )
    return Facts(
        [
            ("Sender", str(sender)),
            ("Received", page_parts.moment(record.received_at)),
            ("Own id", record.own_id),
            ("SHA-256", page_parts.code(record.sha256)),
            ("As it came", content),
            ("Converted by", record.converted_by),
            ("Mapping", record_admin.link(record.mapping) if record.mapping else ""),
            ("Batch", record_admin.link(record.batch) if record.batch else ""),
            ("Decided by", str(record.decided_by or "")),
            ("Decided", page_parts.moment(record.decided_at)),
            ("Decision", record.decision),
            ("Licence", licence),
        ]
    )


def _problems(report: dict[str, Any]) -> Table | Note:
    rows: list[list[Cell]] = [
        [one["pointer"], one["code"], one["detail"], one["raw"]] for one in report["problems"]
    ]
    count = report["counts"]["problems"]
    return Table(
        ["Where", "Code", "What", "As written"], rows, empty="Nothing is in the way.",
        caption=f"{len(rows)} of {count}" if count > len(rows) else "",
    )  # fmt: skip


def _lines(report: dict[str, Any], kind: str, empty: str) -> Table:
    rows: list[list[Cell]] = [
        [one["pointer"], str(one["count"]), one["note"]] for one in report[kind]
    ]
    count = report["counts"][kind]
    shown = sum(one["count"] for one in report[kind])
    caption = f"{shown} of {count} parts" if count > shown else ""
    return Table(_COLUMNS, rows, numeric=["How often"], empty=empty, caption=caption)


def _landed(report: dict[str, Any]) -> Table:
    rows: list[list[Cell]] = [
        [one["kind"], str(one["count"]), str(one["first"]), str(one["last"])]
        for one in report.get("landed", [])
    ]
    columns = ["Record", "How many", "First", "Last"]
    return Table(columns, rows, numeric=columns[1:], empty="Nothing of it landed.")


@record_admin.section(Batch, order=95)
def messages_of_batch(batch: Batch, request: HttpRequest) -> Section:
    """Show where the batch's record goes out, and the messages that came about it."""
    rows: list[list[Cell]] = [
        [record_admin.link(one), page_parts.state(one.state, one.get_state_display()),
         page_parts.moment(one.received_at)]
        for one in batch.messages.order_by("-pk")[:50]
    ]  # fmt: skip
    link = page_parts.link(
        "Production record as BatchML V0700",
        reverse("batch-batchml", kwargs={"number": batch.number}),
    )
    table = Table(["Message", "State", "Received"], rows, empty="No message names this batch.")
    return Section("Exchange", [Note(link), table, Note(ACKNOWLEDGEMENT)], anchor="exchange")
