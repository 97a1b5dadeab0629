"""Runs, injections and reagents in the admin, with the review of a run."""

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from batches.laboratory import orphans, reagents, runs
from batches.laboratory.models import (
    Injection,
    Reagent,
    Run,
    RunState,
    Suitability,
)
from batches.laboratory.pages import fields
from batches.laboratory.pages.fields import ReasonForm, SignForm
from compliance.access import acts, page_parts, record_admin
from compliance.access.acts import Act, Done, Occasion
from compliance.access.duties import Duty
from compliance.access.page_parts import Cell, Facts, Note, Page, Part, Section, Table, Text
from compliance.access.record_admin import RecordAdmin
from compliance.signatures import manifestations
from compliance.signatures.forms import confirmed


class ReviewForm(SignForm):
    entries_seen = forms.IntegerField(
        min_value=0,
        label="Entries of its audit trail that you looked at",
        help_text="The page of the run says how many there are, and its history shows them.",
    )
    comment = fields.text(rows=2, required=False)
    field_order = ("entries_seen", "comment", "password")


class EndForm(forms.Form):
    ended_at = fields.at_utc("Ended at")
    aborted = forms.BooleanField(required=False)
    reason = fields.text(rows=2, required=False, help_text="Needed when it was aborted.")


class SuitabilityForm(forms.Form):
    has_passed = forms.BooleanField(required=False, label="It passed")
    text = fields.text(label="Criteria and what was found", min_length=8)


class ExplainForm(forms.Form):
    orphan = forms.ChoiceField(label="What is explained")
    text = fields.text(label="Explanation", min_length=8)


def _review(occasion: Occasion) -> Done:
    runs.review(
        occasion.record,
        entries_seen=occasion.values["entries_seen"],
        confirmed=confirmed(occasion),
        comment=occasion.values["comment"],
    )
    return Done(f"{occasion.record} is reviewed with its audit trail.")


def _end(occasion: Occasion) -> Done:
    said = {
        "ended_at": occasion.values["ended_at"], "actor": occasion.actor, "at": occasion.at,
    }  # fmt: skip
    if occasion.values["aborted"]:
        runs.abort(occasion.record, reason=occasion.values["reason"], **said)
    else:
        runs.complete(occasion.record, **said)
    return Done(f"{occasion.record} has ended.")


def _judge(occasion: Occasion) -> Done:
    runs.judge_suitability(occasion.record, actor=occasion.actor, at=occasion.at, **occasion.values)
    return Done("The system suitability is judged.")


def _explain(occasion: Occasion) -> Done:
    runs.explain(occasion.record, actor=occasion.actor, at=occasion.at, **occasion.values)
    return Done("The explanation stands beside what it explains.")


def _withdraw(occasion: Occasion) -> Done:
    reagents.withdraw(
        occasion.record, actor=occasion.actor, at=occasion.at, reason=occasion.values["reason"]
    )
    return Done(f"{occasion.record} is withdrawn.")


def _unexplained(run: Run) -> list[tuple[str, str]]:
    return [(one.name, one.name) for one in orphans.of(run) if not one.explanation]


acts.offer(
    Run,
    Act(
        "judge", "Judge its system suitability", Duty.ENTER_RESULTS, _judge, form=SuitabilityForm,
        is_offered=lambda run: run.suitability == Suitability.OPEN
        and run.state in (RunState.RUNNING, RunState.COMPLETED),
        explanation="Once, over all its suitability injections; none is left out.",
    ),
    Act(
        "end", "End the run", Duty.ENTER_RESULTS, _end, form=EndForm,
        initial=fields.now("ended_at"), is_offered=lambda run: run.state == RunState.RUNNING,
    ),
    Act(
        "explain", "Explain orphan data", Duty.ENTER_RESULTS, _explain, form=ExplainForm,
        choices={"orphan": _unexplained},
        is_offered=lambda run: run.state != RunState.REVIEWED and bool(_unexplained(run)),
    ),
    Act(
        "review", "Review with its audit trail", Duty.REVIEW_RESULTS, _review, form=ReviewForm,
        is_offered=lambda run: run.state in (RunState.COMPLETED, RunState.ABORTED),
        explanation="You are not its analyst, and you looked at every entry of its trail.",
    ),
)  # fmt: skip
acts.offer(
    Reagent,
    Act(
        "withdraw", "Withdraw", Duty.ENTER_RESULTS, _withdraw, form=ReasonForm,
        is_offered=lambda reagent: not reagent.is_withdrawn,
    ),
)  # fmt: skip


@admin.register(Run)
class RunAdmin(RecordAdmin):
    list_display = (
        "number", "instrument", "method_code", "analyst", "state", "suitability", "started_at",
        "reviewer",
    )  # fmt: skip
    search_fields = ("number", "instrument", "method_code", "analyst__username")
    list_filter = ("state", "suitability", "instrument", "method_code")
    list_select_related = ("analyst", "reviewer")
    badges = ("state", "suitability")
    date_hierarchy = "started_at"
    ordering = ("-pk",)
    empty_text = "No run yet. Analysts start one here."

    def page(self, record: Run, request: HttpRequest) -> Page:
        facts = Facts(
            [
                ("Instrument", record_admin.link(record.equipment) or record.instrument),
                ("Method", f"{record.method_code} v{record.method_version}"),
                ("Analyst", str(record.analyst)),
                ("Started", page_parts.moment(record.started_at)),
                ("Ended", page_parts.moment(record.ended_at)),
                ("Planned injections", str(record.planned_injections)),
                ("Entries of its audit trail", str(orphans.trail_entries(record))),
                ("Reviewed by", page_parts.shown(record.reviewer)),
                ("System suitability", record.get_suitability_display()),
            ]
        )
        parts: list[Part] = [facts]
        if record.suitability_text:
            parts.append(Text(record.suitability_text, label="Criteria and what was found"))
        sections = [
            Section("Run", parts, is_wide=False),
            manifestations.section(record, is_wide=False),
            Section("Orphan data", _orphans(record)),
            Section("Injections", [_injections(record)]),
            Section("Reagents and standards", [_reagents(record)]),
        ]
        badge = page_parts.state(record.state, record.get_state_display())
        return Page(record.number, f"on {record.instrument}", [badge], sections)


def _orphans(run: Run) -> list[Part]:
    found = orphans.of(run)
    if not found:
        return [Note("The sequence is whole, and every file belongs to an injection.")]
    rows: list[list[Cell]] = [
        [one.name, one.explanation or page_parts.badge("not explained", "bad")] for one in found
    ]
    return [Table(["What is missing, or belongs to nothing", "Explanation"], rows)]


def _injections(run: Run) -> Table:
    rows: list[list[Cell]] = [
        [
            str(one.number),
            one.get_kind_display(),
            record_admin.link(one.sample),
            page_parts.state(one.outcome, one.get_outcome_display()),
            one.reason,
            page_parts.moment(one.injected_at),
            page_parts.code(one.raw_data_digest) if one.raw_data_digest else "",
        ]
        for one in run.injections.select_related("sample__batch").order_by("number")
    ]
    columns = ["No.", "Kind", "Sample", "Outcome", "Reason", "Injected", "Raw data, SHA-256"]
    return Table(columns, rows, numeric=["No."], empty="No injection yet.")


def _reagents(run: Run) -> Table:
    rows: list[list[Cell]] = [
        [
            record_admin.link(one.reagent),
            one.reagent.name,
            one.reagent.get_kind_display(),
            page_parts.day(one.reagent.expires_on),
        ]
        for one in run.reagents.select_related("reagent").order_by("reagent__code")
    ]
    return Table(["Lot", "Name", "Kind", "Expires"], rows, empty="None named.")


@admin.register(Injection)
class InjectionAdmin(RecordAdmin):
    list_display = ("run", "number", "kind", "sample", "outcome", "injected_at")
    search_fields = ("run__number", "sample__number", "sample__batch__number", "raw_data_digest")
    list_filter = ("outcome", "kind")
    list_select_related = ("run", "sample__batch")
    badges = ("outcome",)
    date_hierarchy = "injected_at"
    ordering = ("-pk",)
    empty_text = "No injection yet. Analysts record them on the page of a run."


@admin.register(Reagent)
class ReagentAdmin(RecordAdmin):
    list_display = ("code", "lot", "name", "kind", "expires_on", "is_withdrawn")
    search_fields = ("code", "lot", "name")
    list_filter = ("kind", "is_withdrawn")
    date_hierarchy = "expires_on"
    ordering = ("-pk",)
    empty_text = "No reagent yet. Analysts register lots here."
