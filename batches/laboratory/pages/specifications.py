"""Specifications and their versions in the admin, with the approval."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from batches.execution.models import Batch
from batches.laboratory import governing, specifications, test_decisions
from batches.laboratory.models import (
    Specification,
    SpecificationState,
    SpecificationTest,
    SpecificationVersion,
    TestDecision,
    TestDecisionKind,
)
from compliance.access import acts, page_parts, record_admin
from compliance.access.acts import Act, Done, Occasion, ReasonForm
from compliance.access.duties import Duty
from compliance.access.page_parts import Cell, Facts, Page, Section, Table, Text
from compliance.access.record_admin import RecordAdmin
from compliance.signatures import manifestations
from compliance.signatures.forms import SignForm, confirmed


class DecisionForm(ReasonForm, SignForm):
    test = forms.ChoiceField()
    kind = forms.ChoiceField(choices=TestDecisionKind.choices)
    field_order = ("test", "kind", "reason", "password")


def _approve(occasion: Occasion) -> Done:
    version = specifications.approve(occasion.record, confirmed=confirmed(occasion))
    return Done(f"{version} is effective; it governs the batches that are issued from now on.")


def _is_draft(version: SpecificationVersion) -> bool:
    return version.state == SpecificationState.DRAFT


def _tests_of(batch: Batch) -> list[tuple[str, str]]:
    version = governing.version_of(batch)
    tests = version.tests.order_by("tag", "point") if version else []
    return [(str(one.pk), f"{one.name} {one.point}".strip()) for one in tests]


def _decide(occasion: Occasion) -> Done:
    made = test_decisions.decide(
        occasion.record,
        test=SpecificationTest.objects.get(pk=occasion.values["test"]),
        kind=TestDecisionKind(occasion.values["kind"]),
        confirmed=confirmed(occasion),
        reason=occasion.values["reason"],
    )
    return Done(f"{made.test.name} of {made.batch}: {made.get_kind_display().lower()}.")


def _is_specified(batch: Batch) -> bool:
    return governing.version_of(batch) is not None


acts.offer(
    SpecificationVersion,
    Act(
        "approve", "Approve", Duty.APPROVE_SPECIFICATION, _approve, form=SignForm,
        is_offered=_is_draft, is_grave=True,
        explanation="Your signature makes this version effective and supersedes the one before. "
        "The author cannot approve.",
    ),
)  # fmt: skip
acts.offer(
    Batch,
    Act(
        "decide-test", "Hold or skip a test", Duty.APPROVE_SPECIFICATION, _decide,
        form=DecisionForm, is_offered=_is_specified, choices={"test": _tests_of},
        explanation="A test on hold takes no result and blocks the release.",
    ),
)  # fmt: skip


@admin.register(Specification)
class SpecificationAdmin(RecordAdmin):
    list_display = ("code", "title", "use", "product", "material")
    search_fields = ("code", "title", "product__code", "material")
    list_filter = ("use",)
    list_select_related = ("product",)
    ordering = ("code",)
    empty_text = "No specification yet. QC begins one here; quality approves its versions."

    def page(self, record: Specification, request: HttpRequest) -> Page:
        rows: list[list[Cell]] = [
            [
                record_admin.link(one),
                page_parts.state(one.state, one.get_state_display()),
                page_parts.moment(one.effective_at),
                page_parts.moment(one.superseded_at),
                str(one.author),
                page_parts.shown(one.approver),
            ]
            for one in record.versions.select_related(
                "specification", "author", "approver"
            ).order_by("-version")
        ]
        columns = ["Version", "State", "Effective since", "Superseded", "Author", "Approved by"]
        facts = Facts(
            [
                ("Use", record.get_use_display()),
                ("Product", record_admin.link(record.product)),
                ("Material", record.material),
            ]
        )
        sections = [Section("Specification", [facts]), Section("Versions", [Table(columns, rows)])]
        return Page(record.code, record.title, [], sections)


@admin.register(SpecificationVersion)
class SpecificationVersionAdmin(RecordAdmin):
    list_display = ("__str__", "state", "author", "approver", "effective_at", "superseded_at")
    search_fields = ("specification__code", "specification__title", "reason")
    list_filter = ("state", "specification__use")
    list_select_related = ("specification", "author", "approver")
    badges = ("state",)
    date_hierarchy = "drafted_at"
    ordering = ("-pk",)
    empty_text = (
        "No version yet. QC writes one on the page of a specification; quality approves it here."
    )

    def page(self, record: SpecificationVersion, request: HttpRequest) -> Page:
        facts = Facts(
            [
                ("Specification", record_admin.link(record.specification)),
                ("Author", str(record.author)),
                ("Approved by", page_parts.shown(record.approver)),
                ("Effective since", page_parts.moment(record.effective_at)),
                ("Superseded", page_parts.moment(record.superseded_at)),
            ]
        )
        sections = [
            Section("Version", [facts, Text(record.reason, label="Reason")], is_wide=False),
            manifestations.section(record, is_wide=False),
            Section("Tests", [_tests(record)]),
            Section("Sampling plan", [_plan(record)]),
        ]
        badge = page_parts.state(record.state, record.get_state_display())
        return Page(str(record), record.specification.title, [badge], sections)


def _tests(version: SpecificationVersion) -> Table:
    rows: list[list[Cell]] = [
        [
            one.name,
            one.tag,
            one.point,
            f"{one.method_code} v{one.method_version}",
            one.limits_text,
            _alerts(one),
            f"{one.decimals}, {one.get_rounding_display()}" if one.unit else "",
            f"{one.replicates}, {one.get_reported_as_display().lower()}"
            + (", each judged" if one.is_each_judged and one.replicates > 1 else ""),
            "yes" if one.is_mandatory else "",
        ]
        for one in version.tests.order_by("tag", "point")
    ]
    columns = [
        "Test", "Tag", "Point", "Method", "Limits", "Alert limits", "Decimals", "Determinations",
        "Needed for release",
    ]  # fmt: skip
    return Table(columns, rows)


def _alerts(test: SpecificationTest) -> str:
    low, high = test.alert_low, test.alert_high
    sides = (("at least", low), ("at most", high))
    return ", ".join(f"{word} {one.normalize():f}" for word, one in sides if one is not None)


def _plan(version: SpecificationVersion) -> Table:
    rows: list[list[Cell]] = [
        [one.point, str(one.samples), one.amount, one.storage, one.instruction]
        for one in version.plan.order_by("point")
    ]
    columns = ["Point", "Samples", "Amount", "Storage", "Instruction"]
    return Table(columns, rows, numeric=["Samples"], empty="No sampling plan.")


@admin.register(TestDecision)
class TestDecisionAdmin(RecordAdmin):
    list_display = ("decided_at", "batch", "test", "kind", "decided_by")
    search_fields = ("batch__number", "test__tag", "reason")
    list_filter = ("kind",)
    list_select_related = ("batch", "test__version__specification", "decided_by")
    ordering = ("-pk",)
    empty_text = "No test was held or skipped. Quality does so on the page of a batch."

    def page(self, record: Any, request: HttpRequest) -> Page:
        page = super().page(record, request)
        return Page(page.title, sections=[*page.sections, manifestations.section(record)])
