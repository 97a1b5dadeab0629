"""What production's own records object to a release (21 CFR 211.165, 211.192)."""

from batches.disposition import excursions, reviews, specification
from batches.execution import blockers
from batches.execution.models import Batch, BatchState, PhaseState
from batches.recipes import master_recipes
from compliance.quality import trail_reviews
from compliance.quality.models import DeviationState
from compliance.refusals import Refused
from compliance.trail.verifier.contents import Kind


@blockers.register("batch-not-completed", clause="21 CFR 211.188")
def state(batch: Batch) -> list[str]:
    if batch.state == BatchState.COMPLETED:
        return []
    return [f"the batch is {batch.get_state_display().lower()}, not completed"]


@blockers.register("phase-not-executed", clause="21 CFR 211.188(b)")
def phases(batch: Batch) -> list[str]:
    undone = batch.phases.exclude(state=PhaseState.DONE).order_by("order")
    return [f"phase {phase.name} is {phase.get_state_display().lower()}" for phase in undone]


@blockers.register("recipe-changed", clause="21 CFR 211.188(a)")
def recipe(batch: Batch) -> list[str]:
    """21 CFR 211.188(a): an accurate reproduction of the master record."""
    if master_recipes.digest(batch.recipe) == batch.recipe_digest:
        return []
    return [f"{batch.recipe} is no longer what the batch was issued against"]


@blockers.register("deviation-open", clause="21 CFR 211.192")
def deviations(batch: Batch) -> list[str]:
    still_open = batch.deviations.unsettled().order_by("number")
    return [
        f"{deviation.number} is {deviation.get_state_display().lower()}: {deviation.title}"
        for deviation in still_open
    ]


@blockers.register("value-missing", clause="21 CFR 211.165(a)")
def required(batch: Batch) -> list[str]:
    """21 CFR 211.165(a): each required test has its result before release."""
    return list(specification.missing(batch))


@blockers.register("out-of-specification", clause="21 CFR 211.165(f)")
def failing(batch: Batch) -> list[str]:
    """21 CFR 211.165(f): a product that fails its specification is rejected."""
    return list(specification.failing(batch))


@blockers.register("record-not-reviewed", clause="21 CFR 211.192; EU GMP Annex 11, 9")
def reviewed(batch: Batch) -> list[str]:
    """21 CFR 211.192: the quality unit reviews the record as it is, before the release."""
    if batch.state != BatchState.COMPLETED or reviews.current(batch) is not None:
        return []
    return ["nobody of quality has signed a review of the record as it is now"]


@blockers.register("trail-not-reviewed", clause="PIC/S PI 041-1 9.6; EU GMP Annex 11 9")
def trail_reviewed(batch: Batch) -> list[str]:
    """PI 041-1, 9.6: the audit trail is reviewed independently, before the release."""
    if batch.state != BatchState.COMPLETED:
        return []
    try:
        if trail_reviews.current_of(Kind.BATCH, batch.number) is not None:
            return []
    except Refused as refused:  # more than a review can cover, say: it is no review
        return [f"the audit trail cannot be reviewed: {refused}"]
    return [
        "nobody independent has concluded a review of the audit trail as it is now: open a trail "
        f"review of the batch {batch.number}"
    ]


@blockers.register("outside-limits", clause="21 CFR 211.192")
def limits(batch: Batch) -> list[str]:
    """21 CFR 211.192: each failure is investigated to its conclusion before the release.

    A closed deviation stands for the parameters that it names, and for no others.
    """
    closed = batch.deviations.filter(state=DeviationState.CLOSED) | batch.deviations.filter(
        duplicate_of__state=DeviationState.CLOSED
    )
    settled = closed.distinct().prefetch_related("batch_exceptions")
    said = [text for deviation in settled for text in excursions.words(deviation)]
    return [
        f"{one}, and no closed deviation of the batch names {one.name} or {one.tag}"
        for one in excursions.of(batch)
        if not excursions.is_named(one, said)
    ]
