"""Retention policies and legal holds in the admin, each act by two people."""

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from compliance.access import acts, page_parts, record_admin
from compliance.access.acts import Act, Done, Occasion, ReasonForm
from compliance.access.duties import Duty
from compliance.access.page_parts import Cell, Facts, Note, Page, Part, Section, Table, Text
from compliance.access.record_admin import RecordAdmin
from compliance.retention import holds, kinds, policies, retention
from compliance.retention.models import LegalHold, PolicyState, RetentionPolicy
from compliance.retention.periods import Rule
from compliance.signatures import manifestations
from compliance.signatures.forms import SignForm, SignWithReasonForm, confirmed


def _kinds_to_hold() -> list[tuple[str, str]]:
    return [
        *kinds.names(),
        (kinds.RECORD, "One record: table and key"),
        (kinds.EVERYTHING, "Everything"),
    ]


class HoldForm(ReasonForm):
    title = forms.CharField(min_length=8, max_length=200)
    kind = forms.ChoiceField(choices=_kinds_to_hold)
    numbers = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 3}), required=False,
        help_text="Numbers of the records, one a line; of one record its table and key.",
    )  # fmt: skip
    field_order = ("title", "kind", "numbers", "reason")


class PolicyForm(forms.Form):
    summary = forms.CharField(min_length=8, widget=forms.Textarea(attrs={"rows": 2}))
    kind = forms.ChoiceField(choices=kinds.names)
    anchor = forms.CharField(
        max_length=40, help_text="The moment from which it counts, such as expiry or certification."
    )
    years = forms.IntegerField(min_value=0, max_value=200)
    basis = forms.CharField(max_length=200, help_text="Why: a contract, a law, a rule of the site.")


def _request(occasion: Occasion) -> Done:
    given = occasion.values
    numbers = [line.strip() for line in given["numbers"].splitlines() if line.strip()]
    hold = holds.request(
        title=given["title"],
        records=[(given["kind"], number) for number in numbers or [""]],
        actor=occasion.actor,
        at=occasion.at,
        reason=given["reason"],
    )
    return Done(f"{hold} is in force; a second person places it by signature.", hold)


def _confirm(occasion: Occasion) -> Done:
    return Done(f"{holds.confirm(occasion.record, confirmed=confirmed(occasion))} is placed.")


def _request_lift(occasion: Occasion) -> Done:
    hold = holds.request_lift(
        occasion.record, actor=occasion.actor, at=occasion.at, reason=occasion.values["reason"]
    )
    return Done(f"{hold} stays in force until a second person signs that it is lifted.")


def _lift(occasion: Occasion) -> Done:
    return Done(f"{holds.lift(occasion.record, confirmed=confirmed(occasion))} is lifted.")


def _draft(occasion: Occasion) -> Done:
    given = occasion.values
    rule = Rule(
        kind=given["kind"], anchor=given["anchor"], years=given["years"], clause=given["basis"]
    )
    kept = policies.effective()
    former = [
        Rule(kind=one.kind, anchor=one.anchor, years=one.years, months=one.months, clause=one.basis)
        for one in (kept.rules.order_by("pk") if kept else [])
    ]
    policy = policies.draft(
        rules=[*former, rule], summary=given["summary"], actor=occasion.actor, at=occasion.at
    )
    return Done(f"{policy} is drafted; a second person approves it.", policy)


def _approve(occasion: Occasion) -> Done:
    policy = policies.approve(
        occasion.record, confirmed=confirmed(occasion), reason=occasion.values["reason"]
    )
    return Done(f"{policy} is effective.")


acts.offer(
    LegalHold,
    Act(
        "request", "Request a legal hold", Duty.PLACE_LEGAL_HOLD, _request, form=HoldForm,
        is_for_list=True,
        explanation="It is in force at once; another person places it by signature.",
    ),
    Act(
        "confirm", "Place the hold", Duty.PLACE_LEGAL_HOLD, _confirm, form=SignForm,
        is_offered=lambda hold: "confirm" in holds.ALLOWED[hold.state], is_grave=True,
        explanation="Your signature places the hold that somebody else requested.",
    ),
    Act(
        "request-lift", "Request its lifting", Duty.PLACE_LEGAL_HOLD, _request_lift,
        is_offered=lambda hold: "request-lift" in holds.ALLOWED[hold.state],
    ),
    Act(
        "lift", "Lift the hold", Duty.PLACE_LEGAL_HOLD, _lift, form=SignForm,
        is_offered=lambda hold: "lift" in holds.ALLOWED[hold.state], is_grave=True,
        explanation="Your signature lifts the hold; who asked for it does not sign.",
    ),
)  # fmt: skip
acts.offer(
    RetentionPolicy,
    Act(
        "draft", "Add a term", Duty.PLACE_LEGAL_HOLD, _draft, form=PolicyForm, is_for_list=True,
        explanation="A new version with the terms that are effective now and this one. It has no "
        "effect before another person approves it, and never shortens the terms of the law.",
    ),
    Act(
        "approve", "Approve", Duty.PLACE_LEGAL_HOLD, _approve, form=SignWithReasonForm,
        is_offered=lambda policy: policy.state == PolicyState.DRAFT, is_grave=True,
        explanation="Your signature makes this version effective; its author does not sign.",
    ),
)  # fmt: skip


@admin.register(LegalHold)
class LegalHoldAdmin(RecordAdmin):
    list_display = ("number", "title", "state", "requested_by", "requested_at")
    search_fields = ("number", "title", "reason", "held__subject")
    list_filter = ("state",)
    list_select_related = ("requested_by",)
    badges = ("state",)
    date_hierarchy = "requested_at"
    ordering = ("-pk",)
    empty_text = "No legal hold. Request one when records must stay beyond their term."

    def page(self, record: LegalHold, request: HttpRequest) -> Page:
        facts = Facts(
            [
                ("Requested", page_parts.moment(record.requested_at)),
                ("By", str(record.requested_by)),
                ("Lift requested", page_parts.moment(record.lift_requested_at)),
                ("Lift requested by", str(record.lift_requested_by or "")),
            ]
        )
        rows: list[list[Cell]] = [
            [one.kind.replace("-", " "), one.subject or "all of the site"]
            for one in record.held.order_by("kind", "subject")
        ]
        parts: list[Part] = [facts, Text(record.reason, label="Reason")]
        if record.lift_reason:
            parts.append(Text(record.lift_reason, label="Reason to lift"))
        sections = [
            Section("Hold", parts, is_wide=False),
            Section("What it keeps", [Table(["Kind", "Record"], rows)], is_wide=False),
            manifestations.section(record),
        ]
        tone: page_parts.Tone = "warn" if record.is_in_force else "quiet"
        badge = page_parts.badge(record.get_state_display(), tone)
        return Page(record.number, record.title, [badge], sections)


@admin.register(RetentionPolicy)
class RetentionPolicyAdmin(RecordAdmin):
    list_display = ("version", "state", "summary", "author", "approver", "effective_at")
    search_fields = ("summary",)
    list_filter = ("state",)
    list_select_related = ("author", "approver")
    badges = ("state",)
    ordering = ("-version",)
    empty_text = "No policy of the site: the terms of the law hold. Add a term to lengthen them."

    def page(self, record: RetentionPolicy, request: HttpRequest) -> Page:
        facts = Facts(
            [
                ("Drafted", f"{page_parts.moment(record.drafted_at)} by {record.author}"),
                ("Approved by", str(record.approver or "")),
                ("Effective", page_parts.moment(record.effective_at)),
            ]
        )
        own = [_row(one.kind, one.anchor, one.years, one.basis) for one in record.rules.all()]
        law = [_row(one.kind, one.anchor, one.years, one.clause) for one in retention.minimum()]
        columns = ["Kind", "From", "Years", "Basis"]
        sections = [
            Section("Policy", [facts, Text(record.summary)]),
            Section("Terms of the site", [Table(columns, own, numeric=["Years"])]),
            Section(
                "Terms of the law",
                [Note("They hold in any case."), Table(columns, law, numeric=["Years"])],
            ),
            manifestations.section(record),
        ]
        badge = page_parts.state(record.state, record.get_state_display())
        return Page(str(record), "", [badge], sections)


def _row(kind: str, anchor: str, years: int, basis: str) -> list[Cell]:
    return [kind.replace("-", " "), anchor, str(years), basis]


def kept_section(kind: str, number: str) -> Section:
    """Return the section that a record's page shows about its retention."""
    found = retention.until(kind, number)
    rows: list[list[Cell]] = [
        [
            term.rule.clause, term.rule.anchor, str(term.rule.years),
            page_parts.day(term.ends_on) or "not known yet",
        ]
        for term in found.terms
    ]  # fmt: skip
    until = page_parts.day(found.until) or "No end is known: it is kept."
    table = Table(
        ["Basis", "From", "Years", "Until"], rows, numeric=["Years"], empty="No term yet."
    )
    held = [Note(record_admin.link(hold), "bad") for hold in holds.of_subject(kind, number)]
    return Section("Retention", [Facts([("Kept until", until)]), *held, table], is_wide=False)
