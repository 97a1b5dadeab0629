"""Proposals in the admin: both futures, the last safe moment, the answer, and how it compares."""

from typing import Any

from django.contrib import admin
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from batches.execution.models import Batch
from compliance.access import acts, page_parts, record_admin
from compliance.access.acts import Act, Done, Occasion
from compliance.access.duties import Duty
from compliance.access.page_parts import Cell, Facts, Note, Page, Part, Picture, Section, Table
from compliance.access.record_admin import RecordAdmin
from compliance.refusals import Refused
from compliance.reports import charts as drawings
from twins.advice import (
    charts,
    comparisons,
    outputs,
    proposals,
    requests,
    runs,
    tasks,
    terms,
)
from twins.advice.models import GIVEN, Comparison, Followed, Proposal, ProposalState
from twins.models.advice.comparing import Compared
from twins.predictions.asked.parts import badges
from twins.predictions.models import Alert, AlertState

_HELD = {None: "not measured", False: "not crossed", True: "crossed"}

# --- Acts


def _accept(occasion: Occasion) -> Done:
    return _answered(occasion, accept=True)


def _reject(occasion: Occasion) -> Done:
    return _answered(occasion, accept=False)


def _answered(occasion: Occasion, *, accept: bool) -> Done:
    proposals.answer(
        occasion.record, accept=accept, reason=occasion.values["reason"], actor=occasion.actor,
        at=occasion.at,
    )  # fmt: skip
    return Done(
        "The proposal is accepted. Nothing is done by it: set the feed through the MES."
        if accept
        else "The proposal is rejected; your reason stays with it."
    )


def _ask(occasion: Occasion) -> Done:
    proposal = requests.by_person(occasion.record, actor=occasion.actor, at=occasion.at)
    transaction.on_commit(lambda: tasks.advise.delay(proposal_id=proposal.pk), robust=True)
    return Done("Advice is requested; a worker gives it in a few seconds.", proposal)


def _replay(occasion: Occasion) -> Done:
    return Done(str(runs.replay(occasion.record)))


def _is_answerable(proposal: Proposal) -> bool:
    return proposals.is_answerable(proposal, at=timezone.now())


def _is_given(proposal: Proposal) -> bool:
    return proposal.state in GIVEN


def _is_advisable(alert: Alert) -> bool:
    return alert.state == AlertState.OPEN and terms.is_asked_for(alert.batch.recipe)


acts.offer(
    Proposal,
    Act(
        "accept", "Accept", Duty.ANSWER_ALERT, _accept, is_offered=_is_answerable,
        explanation="Accepting records a decision and does nothing: a person sets the feed "
        "through the MES. What was done is compared afterwards.",
    ),
    Act(
        "reject", "Reject", Duty.ANSWER_ALERT, _reject, is_offered=_is_answerable,
        explanation="Say why the move is not made. The proposal stays on record.",
    ),
    Act(
        "replay", "Replay", Duty.READ, _replay, form=acts.ConfirmForm, is_offered=_is_given,
        explanation="Advises again on the recorded question, here and now, and compares every "
        "byte of the answer. It changes nothing and takes a few seconds.",
    ),
)  # fmt: skip
acts.offer(
    Alert,
    Act(
        "advise", "Ask for advice", Duty.ANSWER_ALERT, _ask, form=acts.ConfirmForm,
        is_offered=_is_advisable,
        explanation="A worker looks for the smallest move of the feed that is enough, and until "
        "when, from the newest forecast. An older open proposal is superseded by it.",
    ),
)  # fmt: skip

# --- Proposals


@admin.register(Proposal)
class ProposalAdmin(RecordAdmin):
    list_display = (
        "number", "batch", "endangered", "outcome", "state", "last_safe_at", "answered_by",
    )  # fmt: skip
    search_fields = ("alert__batch__number", "alert__tag", "answered_by", "answer_reason")
    list_filter = ("state", "outcome")
    list_select_related = ("alert__batch", "prediction", "superseded_by")
    badges = ("state",)
    ordering = ("-pk",)
    empty_text = "No proposal yet. One is made for each alert of a recipe that asks for advice."

    def get_queryset(self, request: HttpRequest) -> Any:
        found = super().get_queryset(request)
        return found.defer("prediction__input", "prediction__output")

    @admin.display(description="Proposal", ordering="pk")
    def number(self, proposal: Proposal) -> str:
        return str(proposal)

    @admin.display(description="Batch")
    def batch(self, proposal: Proposal) -> str:
        return proposal.alert.batch.number

    @admin.display(description="Endangered")
    def endangered(self, proposal: Proposal) -> str:
        return f"{proposal.alert.tag} {proposal.alert.get_side_display().lower()}"

    def page(self, record: Proposal, request: HttpRequest) -> Page:
        sections = [
            Section("What is proposed", [Note(outputs.headline(record)), _proposed(record)]),
            Section("Answer", [_answer(record)]),
        ]
        if record.state in GIVEN:
            sections += _given(record)
        sections.append(Section("Run", [_run(record)]))
        return Page(
            f"{record.alert.tag} of batch {record.alert.batch}",
            str(record),
            badges(record),
            sections,
        )


def _proposed(proposal: Proposal) -> Facts:
    return Facts(
        [
            ("Alert", record_admin.link(proposal.alert)),
            ("As of", page_parts.moment(proposal.prediction.as_of)),
            ("Probability as is", outputs.chance(proposal.before)),
            ("Probability with the move", outputs.chance(proposal.after)),
            ("Target", f"{100 * float(proposal.target):g} %" if proposal.target else ""),
            ("The move starts", page_parts.moment(proposal.starts_at)),
            ("Last safe moment", page_parts.moment(proposal.last_safe_at)),
            ("Surely safe until", page_parts.moment(proposal.last_safe_low_at)),
            ("Perhaps safe until", page_parts.moment(proposal.last_safe_high_at)),
            ("Registered range", _range(proposal)),
        ]
    )


def _range(proposal: Proposal) -> str:
    if not proposal.range_source:
        return ""
    low, high = float(proposal.range_low), float(proposal.range_high)
    return f"{low:g} to {high:g} L/h: {proposal.range_source}"


def _answer(proposal: Proposal) -> Part:
    match proposal.state:
        case ProposalState.OPEN if _is_answerable(proposal):
            return Note("Nobody has answered yet. Accept or reject it before its last safe moment.")
        case ProposalState.OPEN | ProposalState.EXPIRED:
            return Note("Nobody answered by its last safe moment. Ask for new advice on its alert.")
        case ProposalState.SUPERSEDED:
            return Facts([("Superseded by", record_admin.link(proposal.superseded_by))])
        case ProposalState.ACCEPTED | ProposalState.REJECTED:
            return Facts(
                [
                    (
                        proposal.get_state_display(),
                        f"{page_parts.moment(proposal.ended_at)} by {proposal.answered_by}",
                    ),
                    ("Reason", proposal.answer_reason),
                ]
            )
    return Note("There is no move to answer.")


def _given(proposal: Proposal) -> list[Section]:
    said = outputs.document(proposal)
    moves: list[list[Cell]] = [
        [f"{start:g} to {end:g} h", f"{rate:+g} L/h"] for start, end, rate in outputs.steps(said)
    ]
    sides: list[list[Cell]] = [
        [
            f"{one['tag']} {'below' if one['side'] == 'low' else 'above'} {float(one['bound']):g}",
            outputs.chance(_told(one["before"])),
            outputs.chance(_told(one["after"])),
        ]
        for one in said["sides"]
    ]
    columns = ["Limit", "As is", "With the move"]
    sections = [
        Section(
            "Departure from the feed as is",
            [Table(["Hours of the batch", "Departure"], moves, empty="No move.")],
            is_wide=False,
        ),
        Section("Limits", [Table(columns, sides, numeric=columns[1:])], is_wide=False),
    ]
    if said["as_is"] is not None:
        drawn = [
            _picture(proposal, "futures", "Both futures"),
            _picture(proposal, "feeds", "Feeds"),
        ]
        sections.append(Section("Both futures", drawn))
        sections.append(Section("Compared with what was done", [_comparison(proposal)]))
    return sections


def _told(chance: dict[str, str] | None) -> list[str]:
    return [] if chance is None else [chance[name] for name in ("probability", "low", "high")]


def _comparison(proposal: Proposal) -> Part:
    comparison = Comparison.objects.filter(proposal=proposal).first()
    if comparison is not None:
        return compared(comparison)
    known = comparisons.so_far(proposal)
    if known is None or not (known.done or known.hours_measured):
        return Note("Nothing has been read since. It is compared when its horizon is over.")
    return Facts(
        [
            ("So far, until", f"{known.until_h:g} h of the batch"),
            ("Move", Followed(known.followed).label if known.followed else ""),
            ("Limit", _HELD[known.is_crossed]),
            *_inside(known),
        ]
    )


def compared(comparison: Comparison) -> Facts:
    """Say what was done, what came, and which future foretold it."""
    return Facts(
        [
            ("Compared until", page_parts.moment(comparison.until)),
            ("Move", comparison.get_followed_display()),
            ("Mean distance from the proposed feed", _rate(comparison.from_move_l_per_h)),
            ("Mean distance from the feed as is", _rate(comparison.from_recipe_l_per_h)),
            ("Limit", _HELD[comparison.is_crossed]),
            ("First crossed", page_parts.moment(comparison.crossed_at)),
            *_inside(comparison),
        ]
    )


def _inside(found: Comparison | Compared) -> list[tuple[str, Cell]]:
    hours = found.hours_measured
    moved = "" if found.inside_moved is None else f"{found.inside_moved} of {hours} hours"
    return [
        ("Inside the interval as is", f"{found.inside_as_is} of {hours} hours"),
        ("Inside the interval with the move", moved),
    ]


def _rate(text: str) -> str:
    return f"{float(text):.3f} L/h" if text else ""


def _run(proposal: Proposal) -> Facts:
    return Facts(
        [
            ("Requested", f"{page_parts.moment(proposal.requested_at)} by {proposal.requested_by}"),
            ("Finished", page_parts.moment(proposal.finished_at)),
            ("Prediction", record_admin.link(proposal.prediction)),
            ("Twin", record_admin.link(proposal.prediction.model_version)),
            ("Seed", str(proposal.seed)),
            ("Workers that took it", str(proposal.attempts)),
            ("Problem", proposal.problem),
            ("Digest of the question", page_parts.code(proposal.input_digest)),
            ("Digest of the advice", page_parts.code(proposal.output_digest)),
            *((name, page_parts.shown(value)) for name, value in proposal.environment.items()),
        ]
    )


def _picture(proposal: Proposal, name: str, title: str) -> Picture:
    return Picture(
        record_admin.picture_url(proposal, name),
        f"{title} of {proposal}, batch {proposal.alert.batch}",
    )


@record_admin.picture(Proposal, "futures")
def futures_chart(proposal: Proposal, key: str) -> bytes | None:
    try:
        return drawings.to_svg(charts.futures(proposal))
    except Refused:
        return None


@record_admin.picture(Proposal, "feeds")
def feeds_chart(proposal: Proposal, key: str) -> bytes | None:
    try:
        return drawings.to_svg(charts.feeds(proposal))
    except Refused:
        return None


# --- On the pages of alerts and batches


@record_admin.section(Alert, order=10)
def of_alert(alert: Alert, request: HttpRequest) -> Section | None:
    """The proposals for an alert."""
    found = alert.proposals.order_by("-pk")
    return _section(list(found.defer("input")[:20]))


@record_admin.section(Batch, order=21)
def of_batch(batch: Batch, request: HttpRequest) -> Section | None:
    """The proposals for the alerts of a batch."""
    found = Proposal.objects.filter(alert__batch=batch).order_by("-pk")
    return _section(list(found.defer("input")[:20]))


def _section(found: list[Proposal]) -> Section | None:
    rows: list[list[Cell]] = [
        [
            record_admin.link(one),
            page_parts.state(one.state, one.get_state_display()),
            outputs.headline(one),
            page_parts.moment(one.last_safe_at),
        ]
        for one in found
    ]
    if not rows:
        return None
    return Section(
        "Advice", [Table(["Proposal", "State", "What it says", "Last safe moment"], rows)]
    )
