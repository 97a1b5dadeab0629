"""Reviews of access in the admin, and the letter to the agency."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone

from compliance.access import acts, certification, page_parts, record_admin, reviews
from compliance.access.acts import Act, ConfirmForm, Done, Occasion, ReasonForm
from compliance.access.duties import LABELS, Duty, Role
from compliance.access.models import (
    AccessReview,
    AccessReviewLine,
    CertificationLetter,
    ReviewOutcome,
)
from compliance.access.page_parts import Cell, Facts, Page, Section, Table, Text
from compliance.access.record_admin import RecordAdmin


class DecideForm(ReasonForm):
    line = forms.ChoiceField(label="Account")
    outcome = forms.ChoiceField(choices=ReviewOutcome.choices)
    field_order = ("line", "outcome", "reason")


class CloseForm(forms.Form):
    conclusion = forms.CharField(min_length=8, widget=forms.Textarea(attrs={"rows": 3}))


class LetterForm(forms.Form):
    reference = forms.CharField(max_length=100)
    sent_on = forms.DateField(widget=forms.DateInput(attrs={"type": "date"}))
    addressed_to = forms.CharField(max_length=200)


def _open(occasion: Occasion) -> Done:
    review = reviews.open_(actor=occasion.actor, at=occasion.at)
    return Done(f"{review} is open, with {review.lines.count()} accounts.", review)


def _decide(occasion: Occasion) -> Done:
    line = AccessReviewLine.objects.select_related("review", "person").get(
        pk=occasion.values["line"], review=occasion.record
    )
    decided = reviews.decide(
        line,
        outcome=ReviewOutcome(occasion.values["outcome"]),
        actor=occasion.actor,
        at=occasion.at,
        reason=occasion.values["reason"],
    )
    return Done(f"{decided.person}: {decided.get_outcome_display().lower()}.")


def _close(occasion: Occasion) -> Done:
    review = reviews.close(
        occasion.record,
        conclusion=occasion.values["conclusion"],
        actor=occasion.actor,
        at=occasion.at,
    )
    return Done(f"{review} is closed; the next one is due on {reviews.next_due()}.")


def _letter(occasion: Occasion) -> Done:
    letter = certification.record(**occasion.values, actor=occasion.actor, at=occasion.at)
    return Done(f"{letter} is on record.", letter)


def _undecided(review: AccessReview) -> list[tuple[str, str]]:
    lines = review.lines.filter(outcome="").select_related("person").order_by("person__username")
    return [(str(one.pk), f"{one.person} {_roles(one)}") for one in lines]


def _roles(line: AccessReviewLine) -> str:
    return ", ".join(LABELS[Role(role)] for role in line.roles.split(",") if role) or "no role"


def _is_open(review: Any) -> bool:
    return bool(review.is_open)


acts.offer(
    AccessReview,
    Act(
        "open", "Open a review", Duty.REVIEW_ACCESS, _open, form=ConfirmForm, is_for_list=True,
        explanation="It takes down every account as it stands now.",
    ),
    Act(
        "decide", "Decide on an account", Duty.REVIEW_ACCESS, _decide, form=DecideForm,
        is_offered=lambda review: review.is_open and bool(_undecided(review)),
        choices={"line": _undecided},
    ),
    Act(
        "close", "Close", Duty.REVIEW_ACCESS, _close, form=CloseForm, is_offered=_is_open,
        explanation="Every account is decided on, and what had to go is gone.",
    ),
)  # fmt: skip
acts.offer(
    CertificationLetter,
    Act(
        "record", "Record a letter", Duty.REVIEW_ACCESS, _letter, form=LetterForm,
        is_for_list=True,
    ),
)  # fmt: skip


@admin.register(AccessReview)
class AccessReviewAdmin(RecordAdmin):
    list_display = ("number", "state", "due", "opened_at", "reviewer", "closed_at")
    search_fields = ("number", "conclusion", "reviewer__username")
    list_filter = ("state",)
    list_select_related = ("reviewer",)
    badges = ("state",)
    date_hierarchy = "opened_at"
    ordering = ("-pk",)
    empty_text = "No review yet. Open one: 21 CFR 11.300(b) wants accounts checked periodically."

    @admin.display(description="Due", ordering="due_on")
    def due(self, review: AccessReview) -> str:
        if review.is_open and review.due_on < timezone.now().date():
            return page_parts.badge(f"overdue since {review.due_on}", "bad")
        return page_parts.day(review.due_on)

    def page(self, record: AccessReview, request: HttpRequest) -> Page:
        facts = Facts(
            [
                ("Opened", f"{page_parts.moment(record.opened_at)} by {record.reviewer}"),
                ("Due", page_parts.day(record.due_on)),
                ("Closed", page_parts.moment(record.closed_at)),
                ("Closed by", str(record.closed_by or "")),
            ]
        )
        parts: list[Any] = [facts]
        if record.conclusion:
            parts.append(Text(record.conclusion, label="Conclusion"))
        return Page(
            record.number, "Review of access", [self.toned(record)],  # type: ignore[list-item]
            [Section("Review", parts, is_wide=False), Section("Accounts", [_lines(record)])],
        )  # fmt: skip


def _lines(review: AccessReview) -> Table:
    rows: list[list[Cell]] = [
        [
            record_admin.link(one.person),
            _roles(one),
            page_parts.moment(one.last_sign_in_at) or "never",
            _flags(one, review),
            page_parts.state(one.outcome, one.get_outcome_display()) if one.outcome else "",
            one.reason,
            one.decided_by.username if one.decided_by else "",
        ]
        for one in review.lines.select_related("person", "decided_by").order_by("person__username")
    ]
    columns = ["Account", "Roles", "Last sign-in", "Remarks", "Outcome", "Reason", "By"]
    return Table(columns, rows)


def _flags(line: AccessReviewLine, review: AccessReview) -> str:
    flags = []
    if not line.is_active:
        flags.append("deactivated, with a role")
    if not line.is_proven:
        flags.append("identity not proven")
    if line.is_active and line.leaves_on and line.leaves_on < review.opened_at.date():
        flags.append(f"left on {line.leaves_on}")
    return ", ".join(flags)


@admin.register(CertificationLetter)
class CertificationLetterAdmin(RecordAdmin):
    list_display = ("reference", "sent_on", "addressed_to", "recorded_at")
    search_fields = ("reference", "addressed_to")
    ordering = ("-sent_on", "-pk")
    empty_text = (
        "No letter is on record. 21 CFR 11.100(c): certify to the agency, before or at the time of "
        "use, that electronic signatures are meant as handwritten ones."
    )
