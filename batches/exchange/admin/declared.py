"""Pages of unit aliases and sender mappings: one person proposes, a second one approves."""

import json
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from batches.exchange import sender_mappings, unit_aliases
from batches.exchange.formats import declared
from batches.exchange.models.messages import (
    DeclarationState,
    Declared,
    SenderMapping,
    UnitAlias,
)
from compliance.access import acts, page_parts
from compliance.access.acts import Act, Done, Occasion, ReasonForm
from compliance.access.duties import Duty
from compliance.access.page_parts import Cell, Facts, Page, Section, Table
from compliance.access.record_admin import RecordAdmin


class AliasForm(ReasonForm):
    raw = forms.CharField(
        label="As written by the source", max_length=unit_aliases.LONGEST, strip=False
    )
    code = forms.CharField(label="UCUM code", max_length=40)
    display = forms.CharField(label="Shown as", max_length=40)
    dimension = forms.CharField(
        label="What it measures", max_length=60, help_text="E.g. mass-concentration."
    )
    field_order = ("raw", "code", "display", "dimension", "reason")


class MappingForm(ReasonForm):
    name = forms.CharField(max_length=60)
    definition = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 16}), max_length=50_000, help_text="JSON."
    )
    field_order = ("name", "definition", "reason")


def _propose_alias(occasion: Occasion) -> Done:
    made = unit_aliases.propose(
        occasion.values["raw"],
        actor=occasion.actor,
        at=occasion.at,
        **{name: text for name, text in occasion.values.items() if name != "raw"},
    )
    return Done(f"{made} is proposed; a second person approves it.", made)


def _propose_mapping(occasion: Occasion) -> Done:
    try:
        definition = json.loads(occasion.values["definition"])
    except (ValueError, RecursionError) as error:
        raise declared.DeclarationInvalid(f"the definition is no JSON: {error}") from error
    made = sender_mappings.propose(
        occasion.values["name"], definition=definition, actor=occasion.actor, at=occasion.at,
        reason=occasion.values["reason"],
    )  # fmt: skip
    return Done(f"{made} is proposed; a second person approves it.", made)


def _decide(how: Any, message: str) -> Any:
    def call(occasion: Occasion) -> Done:
        how(occasion.record, actor=occasion.actor, at=occasion.at, reason=occasion.values["reason"])
        return Done(f"{occasion.record} {message}.")

    return call


def _is_proposed(one: Declared) -> bool:
    return one.state == DeclarationState.PROPOSED


def _is_in_force(one: Declared) -> bool:
    return one.state in (DeclarationState.PROPOSED, DeclarationState.EFFECTIVE)


acts.offer(
    UnitAlias,
    Act(
        "propose", "Propose an alias", Duty.AUTHOR_SPECIFICATION, _propose_alias, form=AliasForm,
        is_for_list=True, explanation="A second person approves it before it counts.",
    ),
    Act(
        "approve", "Approve", Duty.APPROVE_SPECIFICATION,
        _decide(unit_aliases.approve, "is in force"), is_offered=_is_proposed,
    ),
    Act(
        "withdraw", "Withdraw", Duty.APPROVE_SPECIFICATION,
        _decide(unit_aliases.withdraw, "is withdrawn"), is_grave=True, is_offered=_is_in_force,
    ),
)  # fmt: skip
acts.offer(
    SenderMapping,
    Act(
        "propose", "Propose a mapping", Duty.AUTHOR_SPECIFICATION, _propose_mapping,
        form=MappingForm, is_for_list=True,
        explanation="A second person approves it before it counts.",
    ),
    Act(
        "approve", "Approve", Duty.APPROVE_SPECIFICATION,
        _decide(sender_mappings.approve, "is in force"), is_offered=_is_proposed,
    ),
    Act(
        "withdraw", "Withdraw", Duty.APPROVE_SPECIFICATION,
        _decide(sender_mappings.withdraw, "is withdrawn"), is_grave=True, is_offered=_is_in_force,
    ),
)  # fmt: skip


def _decided(record: Declared) -> list[tuple[str, Cell]]:
    return [
        ("Came with", record.origin),
        ("Proposed by", str(record.proposed_by or "")),
        ("Proposed", page_parts.moment(record.proposed_at) if record.proposed_by else ""),
        ("Why", record.reason),
        ("Approved by", str(record.approved_by or "")),
        ("Approved", page_parts.moment(record.approved_at)),
    ]


@admin.register(UnitAlias)
class UnitAliasAdmin(RecordAdmin):
    list_display = ("raw", "code", "display", "dimension", "version", "state", "approved_by")
    badges = ("state",)
    search_fields = ("raw", "code", "dimension")
    list_filter = ("state", "dimension")
    list_select_related = ("approved_by",)
    ordering = ("dimension", "raw", "-version")
    empty_text = "No alias yet."

    def page(self, record: UnitAlias, request: HttpRequest) -> Page:
        signs = " ".join(f"U+{ord(sign):04X}" for sign in record.raw)
        facts = Facts(
            [
                ("As written", record.raw),
                ("Its signs", page_parts.code(signs)),
                ("UCUM code", page_parts.code(record.code)),
                ("Shown as", record.display),
                ("Measures", record.dimension.replace("-", " ")),
                *_decided(record),
            ]
        )
        return Page(
            str(record),
            f"{record.code}: {record.dimension.replace('-', ' ')}",
            [page_parts.state(record.state, record.get_state_display())],
            [Section("Alias", [facts])],
        )


@admin.register(SenderMapping)
class SenderMappingAdmin(RecordAdmin):
    list_display = ("name", "version", "state", "proposed_by", "approved_by", "approved_at")
    badges = ("state",)
    search_fields = ("name",)
    list_filter = ("state",)
    list_select_related = ("proposed_by", "approved_by")
    ordering = ("name", "-version")
    empty_text = "No mapping yet: CSV, NDJSON and ASM wait in quarantine until one is declared."

    def page(self, record: SenderMapping, request: HttpRequest) -> Page:
        said = record.definition
        facts = [
            (name.replace("_", " ").capitalize(), page_parts.shown(value))
            for name, value in said.items()
            if name not in ("columns", "results")
        ]
        rows: list[list[Cell]] = [
            [
                one["name"],
                one.get("field", "measure"),
                one.get("tag", ""),
                one.get("unit", ""),
                ", ".join(f"“{text}”" for text in one.get("missing", [])),
                "yes" if one.get("percent_sign") else "",
            ]
            for one in [*said.get("columns", []), *said.get("results", [])]
        ]
        columns = ["Name", "Field", "Tag", "Unit", "Means: not measured", "Percent sign"]
        return Page(
            str(record),
            f"of {said['kind']}",
            [page_parts.state(record.state, record.get_state_display())],
            [
                Section("Mapping", [Facts([*facts, *_decided(record)])]),
                Section("Columns", [Table(columns, rows, empty="None are declared.")]),
            ],
        )
