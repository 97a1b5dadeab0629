"""Simulated inspections in the admin: ask for one, and read it as an inspector's report."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db import transaction
from django.http import HttpRequest

from compliance.access import acts, page_parts
from compliance.access.acts import Act, Done, Occasion
from compliance.access.duties import Duty
from compliance.access.page_parts import Facts, Folded, Note, Page, Part, Section, Table, Text
from compliance.access.record_admin import RecordAdmin
from compliance.inspection import inspections, tasks, wording
from compliance.inspection.models import (
    CheckResult,
    FindingClass,
    Inspection,
    InspectionState,
    Profile,
    Verdict,
)

TONES: dict[str, page_parts.Tone] = {"critical": "bad", "major": "warn", "other": "quiet"}


class RequestForm(forms.Form):
    profile = forms.ChoiceField(choices=Profile.choices, initial=Profile.FDA)
    batches = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Numbers of batches, one a line. Empty means every batch of the site.",
    )


def ask(occasion: Occasion, *, profile: Profile, scope: list[str]) -> Done:
    """Request an inspection and queue it."""
    inspection = inspections.request(
        profile=profile, scope=scope, actor=occasion.actor, at=occasion.at
    )
    transaction.on_commit(
        lambda: tasks.run_inspection.delay(inspection_id=inspection.pk), robust=True
    )
    return Done(f"{inspection} is requested; a worker runs it.", inspection)


def _request(occasion: Occasion) -> Done:
    numbers = [line.strip() for line in occasion.values["batches"].splitlines() if line.strip()]
    return ask(occasion, profile=Profile(occasion.values["profile"]), scope=numbers)


acts.offer(
    Inspection,
    Act(
        "request", "Request an inspection", Duty.INSPECT, _request, form=RequestForm,
        is_for_list=True,
        explanation="The rules read every record in scope as it is now. Nothing is changed.",
    ),
)  # fmt: skip


@admin.register(Inspection)
class InspectionAdmin(RecordAdmin):
    list_display = ("number", "profile", "state", "grade", "requested_by", "requested_at")
    search_fields = ("number", "requested_by")
    list_filter = ("state", "profile", "grade")
    badges = ("state",)
    ordering = ("-pk",)
    empty_text = "No inspection yet. Request one: it reads the records as they are."

    def page(self, record: Inspection, request: HttpRequest) -> Page:
        badges = [page_parts.state(record.state, record.get_state_display())]
        if record.grade:
            tone: page_parts.Tone = "good" if record.grade == "A1" else "warn"
            tone = "bad" if record.grade == "Unacceptable" else tone
            badges.append(page_parts.badge(record.grade, tone))
        results = list(record.results.order_by("order"))
        sections = [Section("What was inspected", [*_said(record), _facts(record)])]
        for one in FindingClass:
            found = [result for result in results if result.finding_class == one]
            if found:
                heading = f"{one.label}: {wording.count(len(found), 'finding')}"
                sections.append(
                    Section(heading, [part for each in found for part in _finding(each)])
                )
        sections += _others(results)
        return Page(record.number, record.get_profile_display(), badges, sections)


def _said(inspection: Inspection) -> list[Part]:
    if inspection.state == InspectionState.FINISHED:
        return [Note(wording.SIMULATED, "warn"), Text(inspection.summary)]
    if inspection.state == InspectionState.FAILED:
        return [Note("The run failed; the log of the worker says why. Request another.", "bad")]
    return [Note("A worker runs it; load this page again in a moment.", "busy")]


def _facts(inspection: Inspection) -> Facts:
    return Facts(
        [
            ("Scope", ", ".join(inspection.scope) or "every batch"),
            (
                "Requested",
                f"{page_parts.moment(inspection.requested_at)} by {inspection.requested_by}",
            ),
            ("Finished", page_parts.moment(inspection.finished_at)),
            ("Tree size", "" if inspection.tree_size is None else str(inspection.tree_size)),
            ("Rule pack", inspection.rule_pack),
            ("Snapshot", page_parts.code(inspection.snapshot_digest)),
        ]
    )


def _finding(result: CheckResult) -> list[Part]:
    evidence = Table(
        ["Record", "Facts", "Values", "Trail entries"],
        [
            [
                f"{row['record']} {row['record_id']}",
                ", ".join(row["facts"]),
                ", ".join(f"{key}: {value}" for key, value in row["values"].items()),
                ", ".join(str(entry) for entry in row["entries"]),
            ]
            for row in result.evidence
        ],
    )
    facts = Facts(
        [
            ("Clauses", result.clauses_text),
            ("Class", result.class_reason),
            ("Question to the site", result.question),
            ("Suggested scope", result.investigation_scope),
        ]
    )
    title = page_parts.beside(
        page_parts.badge(result.check_id, TONES.get(result.finding_class, "quiet")), result.title
    )
    shown: list[Part] = [Text(result.text), facts]
    folded = Folded(f"Evidence: {wording.count(len(result.evidence), 'record')}", [evidence])
    return [Folded(title, [*shown, folded], is_open=True)]


def _others(results: list[CheckResult]) -> list[Section]:
    """List what was clean and what could not be judged, with counts and reasons."""
    made = []
    for verdict in (Verdict.NOT_ASSESSABLE, Verdict.CLEAN, Verdict.NOT_APPLICABLE):
        rows: list[list[Any]] = [
            [one.check_id, one.title, str(one.examined), one.text]
            for one in results
            if one.verdict == verdict
        ]
        if rows:
            table = Table(["Check", "Title", "Examined", "Remark"], rows, numeric=["Examined"])
            made.append(Section(f"{verdict.label}: {len(rows)}", [table]))
    return made
