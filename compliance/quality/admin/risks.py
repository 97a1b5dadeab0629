"""Risks and their scales in the admin: the register, each assessment, and what people do there."""

from collections.abc import Callable, Sequence

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone

from compliance.access import acts, page_parts
from compliance.access.acts import Act
from compliance.access.duties import Duty
from compliance.access.models import User
from compliance.access.page_parts import Cell, Facts, Note, Page, Part, Section, Table, Text
from compliance.access.record_admin import RecordAdmin
from compliance.quality import occurrences, risks
from compliance.quality.acts import risks as doing
from compliance.quality.admin import fields, overdue
from compliance.quality.admin.overdue import Due
from compliance.quality.models import Category, Risk, RiskState, Scale
from compliance.quality.states import RISK, OfRisk
from compliance.signatures import manifestations
from compliance.signatures.forms import SignForm


class ScaleForm(SignForm):
    title = fields.line(longest=120)
    severity = fields.text(rows=5, help_text="What each number means: a line each, from 1 on.")
    occurrence = fields.text(rows=5, help_text="As many lines.")
    detection = fields.text(rows=5, help_text="As many lines.")
    severe_from = forms.IntegerField(
        min_value=2, help_text="From this severity on a risk is mitigated, never just accepted."
    )
    field_order = ("title", "severity", "occurrence", "detection", "severe_from", "password")


class OpenForm(forms.Form):
    title = fields.line()
    scope = fields.text(help_text="Process, system or function; and what is left out.")
    category = fields.choice(
        Category, required=False, help_text="Deviations of it are counted against the rating."
    )
    concerns = fields.line(required=False, longest=120, help_text="Code of what it is about.")


class ModeForm(forms.Form):
    text = fields.line(label="How it fails")
    effect = fields.text(rows=2, label="What follows")
    cause = fields.text(rows=2)
    controls = fields.text(rows=2, required=False, label="What holds it off today")


class RateForm(forms.Form):
    mode = forms.ChoiceField(label="Failure mode")
    severity = forms.IntegerField(min_value=1)
    occurrence = forms.IntegerField(min_value=1)
    detection = forms.IntegerField(min_value=1)
    rationale = fields.text()


class DecideForm(SignForm):
    is_accepted = fields.yes_no(label="Decision", yes="Accepted", no="To be mitigated")
    rationale = fields.text(help_text="Why; the product of the numbers is no reason by itself.")
    resolved = fields.text(
        required=False, help_text="Where raters lie wide apart: what they agreed upon, and why."
    )
    review_due_on = fields.day(label="Review by")
    field_order = ("is_accepted", "rationale", "resolved", "review_due_on", "password")


class ReviewForm(forms.Form):
    text = fields.text(label="What occurred since, and whether the rating holds")
    is_rated_again = fields.yes_no(label="Rate again?")
    next_due_on = fields.day(required=False, label="Next review by")


def _offered(step: OfRisk) -> Callable[[Risk], bool]:
    return lambda risk: step in RISK.allowed[risk.state]


acts.offer(
    Scale,
    Act(
        "define", "Define the next version", Duty.APPROVE_RISK,
        fields.opened(doing.define_scale, "{} is defined."), form=ScaleForm, is_for_list=True,
        is_grave=True, explanation="Ratings of earlier versions keep their meaning.",
    ),
)  # fmt: skip
acts.offer(
    Risk,
    Act(
        "open", "Assess a risk", Duty.ASSESS_RISK, fields.opened(doing.open_, "{} is open."),
        form=OpenForm, is_for_list=True,
    ),
    Act(
        "add-mode", "Add a failure mode", Duty.ASSESS_RISK,
        fields.told(doing.add_mode, "The failure mode is added to {}."), form=ModeForm,
        is_offered=_offered(OfRisk.ADD_MODE),
    ),
    Act(
        "rate", "Rate", Duty.ASSESS_RISK, fields.told(doing.rate, "Your rating is on record."),
        form=RateForm, is_offered=_offered(OfRisk.RATE),
        choices={"mode": fields.one_of("modes", lambda one: one.text)},
        explanation="Your own numbers, once. The others' are shown after the decision.",
    ),
    Act(
        "decide", "Decide", Duty.APPROVE_RISK, fields.told(doing.decide, "{} is decided."),
        form=DecideForm, is_offered=_offered(OfRisk.DECIDE), is_grave=True,
    ),
    Act(
        "review", "Review", Duty.APPROVE_RISK, fields.told(doing.review, "{} is reviewed."),
        form=ReviewForm, is_offered=_offered(OfRisk.REVIEW),
    ),
    Act(
        "retire", "Retire", Duty.APPROVE_RISK, fields.told(doing.retire, "{} is retired."),
        is_offered=_offered(OfRisk.RETIRE), is_grave=True,
    ),
)  # fmt: skip


@admin.register(Scale)
class ScaleAdmin(RecordAdmin):
    list_display = ("version", "title", "highest", "severe_from", "approved_by", "approved_at")
    list_select_related = ("approved_by",)
    search_fields = ("title",)
    ordering = ("-version",)
    empty_text = "No scale yet. Quality defines what the numbers of a rating mean."

    def page(self, record: Scale, request: HttpRequest) -> Page:
        rows: list[Sequence[Cell]] = [
            [one.get_dimension_display(), str(one.level), one.definition]
            for one in record.levels.order_by("dimension", "level")
        ]
        table = Table(["Dimension", "Number", "Meaning"], rows, numeric=["Number"])
        note = Note(f"Severity {record.severe_from} and more is mitigated, never just accepted.")
        sections = [Section("Scales", [note, table]), manifestations.section(record)]
        return Page(str(record), record.title, [], sections)


@admin.register(Risk)
class RiskAdmin(RecordAdmin):
    """The risk register."""

    list_display = ("number", "title", "state", "category", "occurred", "round", "due")
    search_fields = ("number", "title", "scope", "concerns")
    list_filter = ("state", Due, "category")
    due_column, ended = "review_due_on", (RiskState.RATING, RiskState.RETIRED)
    badges = ("state",)
    date_hierarchy = "opened_at"
    ordering = ("-pk",)
    list_per_page = 25
    empty_text = "No risk yet. Define the scales first, then assess the first one."

    @admin.display(description="Deviations in a year")
    def occurred(self, risk: Risk) -> str:
        return str(occurrences.of_year(risk, at=timezone.now()).deviations)

    @admin.display(description="Review by", ordering="review_due_on")
    def due(self, risk: Risk) -> str:
        is_decided = risk.state in (RiskState.ACCEPTED, RiskState.TO_MITIGATE)
        return overdue.shown(risk.review_due_on, is_open=is_decided)

    def page(self, record: Risk, request: HttpRequest) -> Page:
        badges = [page_parts.state(record.state, record.get_state_display())]
        parts: list[Part] = [_facts(record), Text(record.scope, label="Scope")]
        if record.rationale:
            parts.append(Text(record.rationale, label="Decided because"))
        reader = request.user if isinstance(request.user, User) else None
        sections = [
            Section("Risk", parts, is_wide=False),
            _occurrence(record),
            _modes(record),
            _ratings(record, reader),
            _reviews(record),
            manifestations.section(record),
        ]
        return Page(record.number, record.title, badges, sections)


def _facts(risk: Risk) -> Facts:
    return Facts(
        [
            ("Scales", str(risk.scale)),
            ("Round", str(risk.round)),
            ("Author", risk.author.username),
            ("Opened", page_parts.moment(risk.opened_at)),
            ("Decided", page_parts.moment(risk.decided_at)),
            ("By", fields.name(risk.decided_by)),
            ("Review by", page_parts.day(risk.review_due_on)),
        ]
    )


def _occurrence(risk: Risk) -> Section:
    found = occurrences.of_year(risk, at=timezone.now())
    pairs = [("Deviations of its kind in twelve months", str(found.deviations))]
    for name, count in found.opportunities.items():
        rate = found.per(name)
        pairs.append((f"{name.capitalize()} in that time", str(count)))
        pairs.append((f"Deviations for each of the {name}", "" if rate is None else str(rate)))
    return Section("What has really occurred", [Facts(pairs)], is_wide=False)


def _modes(risk: Risk) -> Section:
    is_hidden = risk.state == RiskState.RATING
    rows: list[Sequence[Cell]] = []
    for mode, ratings, spread in risks.spreads(risk):
        shown: list[Cell] = ["", "", "", ""]
        if spread is not None and not is_hidden:
            apart: Cell = str(spread.disagreement)
            if spread.is_wide:
                apart = page_parts.beside(page_parts.badge("wide apart", "warn"), str(apart))
            shown = [
                f"{spread.middle.severity} / {spread.middle.occurrence} / {spread.middle.detection}",
                f"{spread.ranges.severity} / {spread.ranges.occurrence} / {spread.ranges.detection}",
                f"{spread.lowest_rpn} to {spread.highest_rpn}",
                apart,
            ]
        rows.append([mode.text, mode.effect, mode.cause, mode.controls, str(len(ratings)), *shown])
    columns = [
        "Failure mode", "Effect", "Cause", "Controls", "Raters", "Middle S/O/D", "Spread S/O/D",
        "Product", "Disagreement",
    ]  # fmt: skip
    parts: list[Part] = [Table(columns, rows, empty="No failure mode yet.")]
    if is_hidden:
        parts.append(Note("Spreads are shown after the decision: people rate without each other."))
    return Section("Failure modes", parts)


def _ratings(risk: Risk, reader: User | None) -> Section:
    found = risks.visible_ratings(risk, to=reader) if reader else []
    rows: list[Sequence[Cell]] = [
        [
            one.mode.text, one.rater.username,
            f"{one.severity} / {one.occurrence} / {one.detection}", one.rationale,
        ]
        for one in found
    ]  # fmt: skip
    columns = ["Failure mode", "Rater", "S/O/D", "Rationale"]
    return Section("Ratings that you may see", [Table(columns, rows, empty="None.")])


def _reviews(risk: Risk) -> Section:
    rows: list[Sequence[Cell]] = [
        [
            page_parts.moment(one.reviewed_at), fields.name(one.reviewed_by),
            str(one.deviations_since), one.text,
            "rated again" if one.is_rated_again else f"next by {one.next_due_on}",
        ]
        for one in risk.reviews.select_related("reviewed_by").order_by("pk")
    ]  # fmt: skip
    columns = ["At", "By", "Deviations since", "Review", "Outcome"]
    return Section("Reviews", [Table(columns, rows, empty="Not reviewed yet.")])
