"""Reviews of the trail in the admin: scope, sample, outcomes and conclusion."""

from collections.abc import Callable, Sequence

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from compliance.access import acts, page_parts, record_admin
from compliance.access.acts import Act
from compliance.access.duties import Duty
from compliance.access.page_parts import Cell, Facts, Note, Page, Part, Section, Table, Text
from compliance.access.record_admin import RecordAdmin
from compliance.quality import trail_reviews
from compliance.quality.acts import reviews as doing
from compliance.quality.admin import fields
from compliance.quality.models import EntryOutcome, SampledEntry, TrailReview, TrailReviewState
from compliance.quality.states import TRAIL_REVIEW, OfTrailReview
from compliance.refusals import Refused
from compliance.signatures import manifestations
from compliance.signatures.forms import SignForm
from compliance.trail.models import Entry
from compliance.trail.verifier.contents import Kind

_SCOPES = ((Kind.BATCH, "A batch"), (Kind.PERSON, "What a person did"), (Kind.PERIOD, "A period"))


class OpenForm(forms.Form):
    kind = forms.ChoiceField(label="Scope", choices=[(kind.value, said) for kind, said in _SCOPES])
    name = fields.line(
        required=False, longest=120, help_text="Number of the batch, or username of the person."
    )
    start = fields.moment(required=False, label="From (UTC)")
    end = fields.moment(required=False, label="To (UTC)")
    seed = fields.line(
        longest=64, help_text="8 characters or more that nobody chose to suit: dice, a date."
    )


class AssessForm(forms.Form):
    sampled = forms.ChoiceField(label="Entry")
    outcome = fields.choice(EntryOutcome)
    text = fields.text(required=False, help_text="What was found; for a finding in words.")
    deviation = fields.line(
        required=False, longest=40, help_text="Number of the deviation about the finding."
    )


class AssessAlikeForm(forms.Form):
    sampled = forms.MultipleChoiceField(label="Entries", widget=forms.CheckboxSelectMultiple)
    text = fields.text(required=False, help_text="What was looked at, for all of them.")


class ConcludeForm(SignForm):
    conclusion = fields.text()
    field_order = ("conclusion", "password")


def _offered(step: OfTrailReview) -> Callable[[TrailReview], bool]:
    return lambda review: step in TRAIL_REVIEW.allowed[review.state]


def _said(sampled: SampledEntry) -> str:
    return f"{sampled.entry}: {', '.join(sampled.reasons)}"


def _pending(review: TrailReview) -> list[tuple[str, str]]:
    found = review.sample.filter(outcome=EntryOutcome.PENDING).order_by("entry")
    return [(str(one.pk), _said(one)) for one in found]


acts.offer(
    TrailReview,
    Act(
        "open", "Open a review", Duty.REVIEW_TRAIL,
        fields.opened(doing.open_trail_review, "{} is open; its sample is drawn."), form=OpenForm,
        is_for_list=True,
        explanation="You are its reviewer: nobody reviews a scope in which they made an entry.",
    ),
    Act(
        "assess", "Assess an entry", Duty.REVIEW_TRAIL,
        fields.told(doing.assess, "The outcome is on record in {}."), form=AssessForm,
        is_offered=_offered(OfTrailReview.ASSESS),
        choices={"sampled": fields.one_of("sample", _said)},
    ),
    Act(
        "assess-alike", "No concern with several entries", Duty.REVIEW_TRAIL,
        fields.told(doing.assess_alike, "The outcome of each is on record in {}."),
        form=AssessAlikeForm, is_offered=_offered(OfTrailReview.ASSESS),
        choices={"sampled": _pending},
        explanation="Only what you looked at; each entry gets its own outcome in the trail.",
    ),
    Act(
        "conclude", "Conclude", Duty.REVIEW_TRAIL,
        fields.told(doing.conclude_trail_review, "{} is concluded."), form=ConcludeForm,
        is_offered=_offered(OfTrailReview.CONCLUDE), is_grave=True,
    ),
    Act(
        "abandon", "Abandon", Duty.REVIEW_TRAIL,
        fields.told(doing.abandon, "{} is abandoned."), is_offered=_offered(OfTrailReview.ABANDON),
    ),
)  # fmt: skip


@admin.register(TrailReview)
class TrailReviewAdmin(RecordAdmin):
    list_display = ("number", "title", "kind", "state", "reviewer", "entry_count", "opened_at")
    list_select_related = ("reviewer",)
    search_fields = ("number", "title", "name", "reviewer__username")
    list_filter = ("state", "kind")
    badges = ("state",)
    date_hierarchy = "opened_at"
    ordering = ("-pk",)
    empty_text = "No review yet. The trail of a batch is reviewed before its release."

    def page(self, record: TrailReview, request: HttpRequest) -> Page:
        badges = [page_parts.state(record.state, record.get_state_display())]
        sections = [
            Section("Scope", [_facts(record), *_standing(record)], is_wide=False),
            _sample(record),
        ]
        if record.conclusion:
            sections.append(Section("Conclusion", [Text(record.conclusion)]))
        sections.append(manifestations.section(record))
        return Page(record.number, record.title, badges, sections)


def _facts(review: TrailReview) -> Facts:
    return Facts(
        [
            ("Reviewer", review.reviewer.username),
            ("Opened", page_parts.moment(review.opened_at)),
            ("Concluded", page_parts.moment(review.concluded_at)),
            ("Entries in the scope", f"{review.entry_count:,}"),
            ("Size of the tree", f"{review.tree_size:,}"),
            ("Seed", review.seed),
            ("Rules of the sample", f"version {review.rules}"),
            ("Working hours", review.hours or "-"),
            ("Digest of the entries", page_parts.code(review.entries_digest)),
        ]
    )


def _standing(review: TrailReview) -> list[Part]:
    if review.state == TrailReviewState.ABANDONED:
        return []
    try:
        now = trail_reviews.state(review)
    except Refused as refused:
        return [Note(f"How it stands cannot be said: {refused}", "warn")]
    if now.entries_now != now.entries or (now.is_concluded and not now.is_current):
        text = f"The scope has {now.entries_now:,} entries now: this review does not cover all."
        return [Note(text, "bad")]
    done = f"{now.assessed} of {now.sampled} drawn entries are assessed, {now.findings} findings."
    return [Note(done, "good" if now.is_current else "quiet")]


def _sample(review: TrailReview) -> Section:
    drawn = list(review.sample.select_related("deviation").order_by("entry"))
    entries = Entry.objects.defer("body", "digest").in_bulk([one.entry for one in drawn])
    rows: list[Sequence[Cell]] = []
    for one in drawn:
        entry = entries.get(one.entry)
        rows.append(
            [
                page_parts.link(str(one.entry), record_admin.url(entry))
                if entry
                else str(one.entry),
                page_parts.moment(entry.at) if entry else "",
                f"{entry.actor} ({entry.role})" if entry else "",
                f"{entry.action}: {entry.op} of {entry.record} {entry.record_id}" if entry else "",
                ", ".join(one.reasons),
                page_parts.state(one.outcome, one.get_outcome_display())
                if one.outcome
                else page_parts.badge("to be assessed", "warn"),
                f"{one.text} {one.deviation or ''}".strip(),
            ]
        )
    columns = ["Entry", "At", "By", "What", "Drawn because", "Outcome", "Said"]
    return Section("Sample", [Table(columns, rows, empty="Nothing was drawn.")])
