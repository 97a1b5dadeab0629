"""What people do on the page of a batch: issue, check, start, suspend, end, comment."""

import uuid
from decimal import Decimal

from django import forms

from batches.execution import batches, copy_checks, entry_forms, events, remarks, states
from batches.execution.events import Reported
from batches.execution.models import Batch, EventKind
from batches.execution.sizes import Size
from batches.execution.states import Step
from batches.recipes.models import MasterRecipe, RecipeState
from compliance.access import acts
from compliance.access.acts import Act, Done, Occasion, ReasonForm
from compliance.access.duties import Duty
from compliance.signatures.forms import SignForm, confirmed


class IssueForm(ReasonForm):
    recipe = forms.ChoiceField(label="Effective recipe")
    number = forms.CharField(max_length=60, label="Batch number")
    size = forms.DecimalField(
        required=False, max_digits=20, decimal_places=6, label="Planned size",
        help_text="In the unit of the recipe; empty for the recipe's own size.",
    )  # fmt: skip
    field_order = ("recipe", "number", "size", "reason")


def _issue(occasion: Occasion) -> Done:
    given = occasion.values
    recipe = MasterRecipe.objects.select_related("product").get(pk=given["recipe"])
    planned: Decimal | None = given["size"]
    batch = batches.issue(
        recipe,
        number=given["number"],
        size=None if planned is None else Size(planned, recipe.batch_size_unit),
        reason=given["reason"],
        actor=occasion.actor,
        at=occasion.at,
    )
    return Done(f"{batch} is issued as an exact copy of {recipe}.", batch)


def _recipes(record: None) -> list[tuple[str, str]]:
    found = MasterRecipe.objects.filter(state=RecipeState.EFFECTIVE).select_related("product")
    return [
        (str(one.pk), f"{one} {one.title}") for one in found.order_by("product__code", "version")
    ]


def _check(occasion: Occasion) -> Done:
    batch = copy_checks.check(occasion.record, confirmed=confirmed(occasion))
    return Done(f"The copy of {batch} is checked.")


def _remark(occasion: Occasion) -> Done:
    remarks.add(occasion.record, text=occasion.values["text"], actor=occasion.actor, at=occasion.at)
    return Done("The comment is added.")


def _mover(step: Step, kind: EventKind) -> Act:
    def call(occasion: Occasion) -> Done:
        moment = entry_forms.moment(occasion)
        reported = Reported(
            kind=kind, occurred_at=moment, occurred_text=moment.isoformat(),
            text=occasion.values["text"],
        )  # fmt: skip
        events.record(
            occasion.record, reported=reported, message_id=str(uuid.uuid4()),
            actor=occasion.actor, at=occasion.at, late_entry=entry_forms.late(occasion),
        )  # fmt: skip
        return Done(f"Recorded: {step.value}.")

    return Act(
        step.name.lower(), step.value.capitalize(), Duty.RECORD_EXECUTION, call,
        form=entry_forms.WhyForm, is_grave=step in (Step.ABORT, Step.END),
        is_offered=lambda batch: states.is_possible(batch, step),
    )  # fmt: skip


acts.offer(
    Batch,
    Act(
        "issue", "Issue a batch", Duty.START_BATCH, _issue, form=IssueForm, is_for_list=True,
        choices={"recipe": _recipes},
        explanation="Everything of the effective recipe is copied into the batch, with its digest.",
    ),
    Act(
        "check-copy", "Check the issued copy", Duty.APPROVE_RECIPE, _check, form=SignForm,
        is_offered=lambda batch: batch.checked_by_id is None
        and states.is_possible(batch, Step.CHECK_COPY),
        explanation="You sign that the copy is the master record. Whoever issued it does not.",
    ),
    _mover(Step.START, EventKind.BATCH_STARTED),
    _mover(Step.SUSPEND, EventKind.BATCH_SUSPENDED),
    _mover(Step.RESUME, EventKind.BATCH_RESUMED),
    _mover(Step.END, EventKind.BATCH_ENDED),
    _mover(Step.ABORT, EventKind.BATCH_ABORTED),
    Act("remark", "Add a comment", Duty.OPEN_DEVIATION, _remark, form=entry_forms.RemarkForm),
)  # fmt: skip
