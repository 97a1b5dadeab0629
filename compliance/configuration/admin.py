"""Changes of the configuration in the admin."""

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from compliance.access import acts, page_parts
from compliance.access.acts import Act, Done, Occasion
from compliance.access.duties import Duty
from compliance.access.page_parts import Cell, Facts, Page, Part, Section, Table, Text
from compliance.access.record_admin import RecordAdmin
from compliance.configuration import changes
from compliance.configuration.models import ChangeState, ConfigurationChange
from compliance.signatures import manifestations
from compliance.signatures.forms import SignForm, confirmed


class AssessForm(SignForm):
    assessment = forms.CharField(
        min_length=8, max_length=2000, widget=forms.Textarea(attrs={"rows": 3}),
        help_text="What it means for the records, and who decided it.",
    )  # fmt: skip
    change_number = forms.CharField(
        max_length=20, required=False, help_text="The approved change that it carries out, if any."
    )


def _assess(occasion: Occasion) -> Done:
    change = changes.assess(
        occasion.record,
        assessment=occasion.values["assessment"],
        change_number=occasion.values["change_number"],
        confirmed=confirmed(occasion),
    )
    return Done(f"{change} is assessed.")


acts.offer(
    ConfigurationChange,
    Act(
        "assess", "Assess the change", Duty.APPROVE_CHANGE, _assess, form=AssessForm,
        is_offered=lambda change: change.state == ChangeState.FOUND,
        explanation="Your signature says what the change means for the records of the plant.",
    ),
)  # fmt: skip


@admin.register(ConfigurationChange)
class ConfigurationChangeAdmin(RecordAdmin):
    list_display = ("number", "state", "found_at", "found_by", "change_number")
    search_fields = ("number", "assessment", "change_number", "settings__name")
    list_filter = ("state",)
    badges = ("state",)
    date_hierarchy = "found_at"
    ordering = ("-pk",)
    empty_text = "No process has noted the configuration yet; the next start of one does."

    def page(self, record: ConfigurationChange, request: HttpRequest) -> Page:
        facts = Facts(
            [
                ("Found", page_parts.moment(record.found_at)),
                ("By", record.found_by),
                ("Change control", record.change_number),
            ]
        )
        rows: list[list[Cell]] = [
            [one.name, one.before or "-", one.after or "-"]
            for one in record.settings.order_by("name")
        ]
        parts: list[Part] = [facts]
        if record.assessment:
            parts.append(Text(record.assessment, label="Assessment"))
        sections = [
            Section("Change", parts),
            Section("Settings", [Table(["Setting", "Before", "After"], rows)]),
            manifestations.section(record),
        ]
        tone: page_parts.Tone = "good" if record.state == ChangeState.ASSESSED else "warn"
        badge = page_parts.badge(record.get_state_display(), tone)
        return Page(record.number, "Change of the configuration", [badge], sections)
