"""What quality, the Qualified Person and the warehouse may do on the page of a batch."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.utils import timezone

from batches.disposition import certification, decisions, reviews, shipments
from batches.disposition.models import Market, Outcome
from batches.execution import states
from batches.execution.models import Batch
from batches.execution.states import Step
from compliance.access import acts
from compliance.access.acts import Act, Done, Occasion, ReasonForm
from compliance.access.duties import Duty
from compliance.signatures.forms import SignForm, SignWithReasonForm, confirmed

MOMENT = "%Y-%m-%dT%H:%M:%S"  # to the second: what is released may leave in the same minute


class ReviewForm(SignForm):
    digest = forms.CharField(
        widget=forms.HiddenInput, max_length=64,
        error_messages={"required": "Sign on the page of the review: it shows what you sign."},
    )  # fmt: skip
    remarks = forms.CharField(
        min_length=8, max_length=2000, widget=forms.Textarea(attrs={"rows": 3}),
        help_text="What the review found, and why what deviates is acceptable or not.",
    )  # fmt: skip
    field_order = ("digest", "remarks", "password")


class ReleaseForm(ReasonForm, SignForm):
    expires_on = forms.DateField(
        label="Expires on", required=False, widget=forms.DateInput(attrs={"type": "date"}),
        help_text="Of the product; the retention of its records counts from here.",
    )  # fmt: skip
    field_order = ("expires_on", "reason", "password")


class ReworkForm(ReasonForm, SignForm):
    reference = forms.CharField(max_length=100, label="Order of the rework")
    field_order = ("reference", "reason", "password")


class CertifyForm(SignForm):
    statement = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 4}), initial=certification.STATEMENT, max_length=2000
    )
    assessment = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 4}), required=False, max_length=4000,
        label="Assessment of unexpected deviations",
        help_text="Needed for a batch with deviations: why quality, safety and efficacy are met.",
    )  # fmt: skip
    field_order = ("statement", "assessment", "password")


class ShipForm(forms.Form):
    market = forms.ChoiceField(choices=Market.choices)
    consignee = forms.CharField(min_length=3, max_length=200)
    quantity = forms.DecimalField(max_digits=18, decimal_places=6, min_value=0)
    unit = forms.CharField(max_length=30)
    shipped_at = forms.DateTimeField(
        label="Shipped at (UTC)",
        widget=forms.DateTimeInput(attrs={"type": "datetime-local", "step": "1"}, format=MOMENT),
    )


def _review(occasion: Occasion) -> Done:
    given = occasion.values
    reviews.sign(
        occasion.record, seen=given["digest"], remarks=given["remarks"],
        confirmed=confirmed(occasion),
    )  # fmt: skip
    return Done(f"The review of {occasion.record} is signed.")


def _deciding(outcome: Outcome) -> Callable[[Occasion], Done]:
    def decide(occasion: Occasion) -> Done:
        given = occasion.values
        decision = decisions.decide(
            occasion.record,
            outcome=outcome,
            confirmed=confirmed(occasion),
            reason=given["reason"],
            reference=given.get("reference", ""),
            expires_on=given.get("expires_on"),
        )
        return Done(f"{decision.batch}: {decision.get_outcome_display().lower()}.")

    return decide


def _certify(occasion: Occasion) -> Done:
    given = occasion.values
    made = certification.certify(
        occasion.record, confirmed=confirmed(occasion), statement=given["statement"],
        assessment=given["assessment"],
    )  # fmt: skip
    return Done(f"{made.batch} is certified as {made}.", made)


def _ship(occasion: Occasion) -> Done:
    given = dict(occasion.values)
    made = shipments.record(
        occasion.record, market=Market(given.pop("market")), actor=occasion.actor,
        at=occasion.at, **given,
    )  # fmt: skip
    return Done(f"{made} is recorded.", made)


def _possible(step: Step) -> Callable[[Batch], bool]:
    return lambda batch: states.is_possible(batch, step)


def _never(batch: Batch) -> bool:
    return False  # it is sent from the page of the review, which shows what is signed


def _now(record: Any) -> dict[str, Any]:
    return {"shipped_at": timezone.now()}


def _decision(
    outcome: Outcome, label: str, explanation: str, form: type[forms.Form] = SignWithReasonForm
) -> Act:
    return Act(
        outcome.value, label, Duty.DECIDE_DISPOSITION, _deciding(outcome), form=form,
        is_offered=_possible(decisions.RULES[outcome].step), is_grave=True,
        explanation=explanation,
    )  # fmt: skip


acts.offer(
    Batch,
    Act(
        "review", "Sign the review", Duty.DECIDE_DISPOSITION, _review, form=ReviewForm,
        is_offered=_never, explanation="Sign on the page of the review: it shows what you sign.",
    ),
    _decision(
        Outcome.RELEASED, "Release",
        "A release is refused while anything stands against it; the refusal names all of it.",
        ReleaseForm,
    ),
    _decision(
        Outcome.CONFIRMED, "Confirm the release",
        "The record changed after the release. Review it as it is now, then confirm.", ReleaseForm,
    ),
    _decision(Outcome.REJECTED, "Reject", "A rejection is final."),
    _decision(
        Outcome.HELD, "Put on hold", "Nothing is released, certified or shipped while it lasts."
    ),
    _decision(Outcome.LIFTED, "Lift the hold", "The batch is then judged anew."),
    _decision(
        Outcome.REWORK, "Order a rework", "By an order of its own, which you name.", ReworkForm
    ),
    _decision(Outcome.REWORKED, "End the rework", "The batch is then judged anew."),
    _decision(Outcome.RECALLED, "Recall", "Nothing more of the batch is shipped."),
    Act(
        "certify", "Certify as Qualified Person", Duty.CERTIFY_BATCH, _certify, form=CertifyForm,
        is_offered=_possible(Step.CERTIFY), is_grave=True,
        explanation="Your signature certifies the batch (EU GMP Annex 16); the certificate gets "
        "the next number of the register.",
    ),
    Act(
        "ship", "Record a shipment", Duty.SHIP_BATCH, _ship, form=ShipForm,
        is_offered=_possible(Step.SHIP), initial=_now,
        explanation="Into the European Union goes only what a Qualified Person certified.",
    ),
)  # fmt: skip
