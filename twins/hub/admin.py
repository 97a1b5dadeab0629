"""Registered versions of twins in the admin: what each is for, and what exactly it is."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from compliance.access import page_parts
from compliance.access.page_parts import Cell, Facts, Folded, Page, Part, Section, Table, Text
from compliance.access.record_admin import RecordAdmin
from compliance.trail.tlog import canonical
from twins.hub import versions
from twins.hub.models import ModelVersion


@admin.register(ModelVersion)
class ModelVersionAdmin(RecordAdmin):
    list_display = ("name", "code", "parameters", "registered_at")
    search_fields = ("name", "code_digest", "parameters_digest")
    ordering = ("-pk",)
    empty_text = "No twin has run yet. A version is registered when it first predicts."

    @admin.display(description="Code", ordering="code_digest")
    def code(self, version: ModelVersion) -> str:
        return page_parts.code(version.code_digest[:16])

    @admin.display(description="Parameters", ordering="parameters_digest")
    def parameters(self, version: ModelVersion) -> str:
        return page_parts.code(version.parameters_digest[:16])

    def page(self, record: ModelVersion, request: HttpRequest) -> Page:
        badge = (
            page_parts.badge("Installed", "good")
            if versions.is_installed(record)
            else page_parts.badge("Not the installed version")
        )
        facts = Facts(
            [
                ("Registered", page_parts.moment(record.registered_at)),
                ("Digest of the code", page_parts.code(record.code_digest)),
                ("Digest of the parameters", page_parts.code(record.parameters_digest)),
            ]
        )
        declared: list[Part] = [_declared(name, said) for name, said in record.declarations.items()]
        sections = [
            Section("Intended use", [Text(record.intended_use)], is_wide=False),
            Section("Valid range", [Text(record.valid_range)], is_wide=False),
            Section("Version", [facts]),
            Section("Declarations", declared),
        ]
        return Page(record.name, "", [badge], sections)


def _declared(name: str, said: Any) -> Folded:
    """Show one declaration: a list of alike records as a table, anything else as it is."""
    if isinstance(said, list) and said and all(isinstance(one, dict) for one in said):
        columns = list(said[0])
        rows: list[list[Cell]] = [[_text(one.get(column)) for column in columns] for one in said]
        return Folded(_label(name), [Table([_label(column) for column in columns], rows)])
    if isinstance(said, dict):
        pairs = [[key, _text(value)] for key, value in said.items()]
        return Folded(_label(name), [Table(["Name", "Value"], pairs)])
    return Folded(_label(name), [Text(_text(said))])


def _label(name: str) -> str:
    return name.replace("_", " ")


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else canonical.dumps(value).decode()
