"""Lead a version from draft to effect and to its end, by three people (21 CFR 211.186(a))."""

from collections.abc import Iterator
from datetime import date, datetime

from batches.recipes import approvable, completeness, master_recipes, states
from batches.recipes.actions import Action
from batches.recipes.completeness import Lack
from batches.recipes.models import MasterRecipe, Product, RecipeState
from batches.recipes.states import DUTIES, Step
from compliance.access import authority, procedures
from compliance.access.authority import Principal
from compliance.access.models import User
from compliance.refusals import Refused
from compliance.signatures import signing
from compliance.signatures.models import Meaning, Signature
from compliance.signatures.signing import Confirmed
from compliance.trail import recording
from compliance.trail.recording import System


class RecipeIncomplete(Refused):
    """The draft lacks what a master record must have (21 CFR 211.186(b))."""

    code = "recipe-incomplete"
    status = 422


class AuthorIsReviewer(Refused):
    code = "author-is-reviewer"


class AuthorIsChecker(Refused):
    """One person prepares, a second one checks (21 CFR 211.186(a))."""

    code = "author-is-checker"


class ReviewerIsChecker(Refused):
    code = "reviewer-is-checker"


class RecipeNotReviewed(Refused):
    """The check follows the review of the very same content."""

    code = "recipe-not-reviewed"


class RecipeReviewed(Refused):
    code = "recipe-reviewed"


class RecipeOutdated(Refused):
    """A later version is approved or followed already."""

    code = "recipe-outdated"


class EffectNotDue(Refused):
    code = "recipe-not-due"


class EffectiveDayInvalid(Refused):
    code = "recipe-effective-day"
    status = 422


def submit(recipe: MasterRecipe, *, confirmed: Confirmed) -> MasterRecipe:
    """Sign a complete draft as its author, and hand it over for review."""
    author, at = confirmed.signer, confirmed.at
    _demand_duty(author, Step.SUBMIT)
    with recording.recording(
        Action.RECIPE_SUBMITTED, actor=author, at=at, reason=f"{recipe} for review"
    ):
        held = states.take(recipe, Step.SUBMIT)
        master_recipes.demand_author(held, author)
        master_recipes.refresh_registered(held)
        held.state = RecipeState.IN_REVIEW
        held.submitted_at = at
        held.save()
        lacking = [
            *completeness.lacking(master_recipes.whole(held)),
            *_procedures_without_version(held, at=at),
        ]
        if lacking:
            raise RecipeIncomplete(
                f"{held} lacks: " + "; ".join(one.text for one in lacking),
                errors=[
                    {"code": one.code, "clause": one.clause, "detail": one.text} for one in lacking
                ],
            )
        signing.sign(held, meaning=Meaning.AUTHORED, confirmed=confirmed)
    return held


def review(recipe: MasterRecipe, *, confirmed: Confirmed, comment: str = "") -> MasterRecipe:
    """Sign the review: a second process engineer has gone through the version."""
    reviewer, at = confirmed.signer, confirmed.at
    _demand_duty(reviewer, Step.REVIEW)
    with recording.recording(
        Action.RECIPE_REVIEWED, actor=reviewer, at=at, reason=f"review of {recipe}"
    ):
        held = states.take(recipe, Step.REVIEW)
        if reviewer.pk == held.author_id:
            raise AuthorIsReviewer(f"{held}: its author cannot review it; ask a second person")
        if held.reviewer_id is not None:
            raise RecipeReviewed(f"{held} is reviewed by {held.reviewer}; quality approves it now")
        signing.sign(held, meaning=Meaning.REVIEWED, confirmed=confirmed, comment=comment)
        held.reviewer = reviewer
        held.reviewed_at = at
        held.save(update_fields=["reviewer", "reviewed_at"])
    return held


def return_(recipe: MasterRecipe, *, actor: User, at: datetime, reason: str) -> MasterRecipe:
    """Give a version in review back to its author, with the reason; signatures stay to be seen."""
    _demand_duty(actor, Step.RETURN)
    text = recording.demand_reason(reason)
    with recording.recording(Action.RECIPE_RETURNED, actor=actor, at=at, reason=text):
        held = states.take(recipe, Step.RETURN)
        held.state = RecipeState.DRAFT
        held.reviewer = held.reviewed_at = held.submitted_at = None
        held.save(update_fields=["state", "reviewer", "reviewed_at", "submitted_at"])
    return held


def approve(
    recipe: MasterRecipe, *, confirmed: Confirmed, effective_on: date | None = None
) -> MasterRecipe:
    """Check a reviewed version by signature. It takes effect on its day (UTC); by default at once.

    Raise `ChangeNotApproved` and `SpecificationNotEffective` for what it names and is not in force.
    """
    checker, at = confirmed.signer, confirmed.at
    _demand_duty(checker, Step.APPROVE)
    today = at.date()
    if effective_on is not None and effective_on < today:
        raise EffectiveDayInvalid(f"{effective_on} is past: nothing takes effect backwards")
    with recording.recording(
        Action.RECIPE_APPROVED, actor=checker, at=at, reason=f"approval of {recipe}"
    ):
        Product.objects.select_for_update(no_key=True).get(pk=recipe.product_id)
        held = states.take(recipe, Step.APPROVE)
        _demand_checkable(held, checker)
        approvable.demand(held)
        signing.sign(held, meaning=Meaning.APPROVED, confirmed=confirmed)
        held.state = RecipeState.APPROVED
        held.checker = checker
        held.approved_at = at
        held.effective_on = effective_on or today
        held.save(update_fields=["state", "checker", "approved_at", "effective_on"])
        if held.effective_on == today:
            return take_effect(held, actor=checker, at=at)
    return held


def take_effect(recipe: MasterRecipe, *, actor: Principal | System, at: datetime) -> MasterRecipe:
    """Make an approved version effective when its day has come; earlier ones are superseded."""
    if not isinstance(actor, System):
        _demand_duty(actor, Step.TAKE_EFFECT)
    with recording.recording(
        Action.RECIPE_TOOK_EFFECT, actor=actor, at=at, reason=f"{recipe} takes effect"
    ):
        Product.objects.select_for_update(no_key=True).get(pk=recipe.product_id)
        held = states.take(recipe, Step.TAKE_EFFECT)
        if held.effective_on is None or held.effective_on > at.date():
            raise EffectNotDue(f"{held} takes effect on {held.effective_on}, not before")
        for former in MasterRecipe.objects.select_for_update(no_key=True).filter(
            product=held.product_id,
            version__lt=held.version,
            state__in=[RecipeState.EFFECTIVE, RecipeState.APPROVED],
        ):
            _end(former, RecipeState.SUPERSEDED, at=at)
        held.state = RecipeState.EFFECTIVE
        held.effective_at = at
        held.save(update_fields=["state", "effective_at"])
    return held


def take_due_effects(*, at: datetime) -> list[MasterRecipe]:
    """Make every approved version effective whose day has come, the oldest first."""
    due = MasterRecipe.objects.filter(
        state=RecipeState.APPROVED, effective_on__lte=at.date()
    ).order_by("product", "effective_on", "version")
    taken = []
    for recipe in due:
        try:
            taken.append(take_effect(recipe, actor=System("schedule"), at=at))
        except states.RecipeNotApproved:
            continue  # a later version came first, or somebody withdrew it meanwhile
    return taken


def withdraw(recipe: MasterRecipe, *, confirmed: Confirmed, reason: str) -> MasterRecipe:
    """Take a version out of use by signature; no batch is issued against it any more."""
    actor, at = confirmed.signer, confirmed.at
    _demand_duty(actor, Step.WITHDRAW)
    text = recording.demand_reason(reason)
    with recording.recording(Action.RECIPE_WITHDRAWN, actor=actor, at=at, reason=text):
        held = states.take(recipe, Step.WITHDRAW)
        signing.sign(held, meaning=Meaning.CLOSED, confirmed=confirmed, comment=text)
        return _end(held, RecipeState.WITHDRAWN, at=at)


def discard(recipe: MasterRecipe, *, actor: User, at: datetime, reason: str) -> MasterRecipe:
    """Give up a draft; its number is not used again."""
    _demand_duty(actor, Step.DISCARD)
    text = recording.demand_reason(reason)
    with recording.recording(Action.RECIPE_DISCARDED, actor=actor, at=at, reason=text):
        held = states.take(recipe, Step.DISCARD)
        master_recipes.demand_author(held, actor)
        return _end(held, RecipeState.WITHDRAWN, at=at)


def _procedures_without_version(recipe: MasterRecipe, *, at: datetime) -> Iterator[Lack]:
    """21 CFR 211.22(d), 211.100(b): what a phase is done by is a written, effective procedure."""
    phases = recipe.phases.exclude(procedure=None).select_related("procedure")
    for procedure in {phase.procedure for phase in phases}:
        if procedure is not None and procedures.effective_version(procedure, at=at) is None:
            yield Lack(
                "procedure-not-effective",
                "21 CFR 211.22(d)",
                f"an effective version of the procedure {procedure.code}",
            )


def _end(recipe: MasterRecipe, state: RecipeState, *, at: datetime) -> MasterRecipe:
    recipe.state = state
    recipe.ended_at = at
    recipe.save(update_fields=["state", "ended_at"])
    return recipe


def _demand_checkable(recipe: MasterRecipe, checker: User) -> None:
    if checker.pk == recipe.author_id:
        raise AuthorIsChecker(f"{recipe}: its author cannot check it; ask a second person")
    if recipe.reviewer_id is None or not _is_reviewed(recipe):
        raise RecipeNotReviewed(f"{recipe} is not reviewed in its present content; review it first")
    if checker.pk == recipe.reviewer_id:
        raise ReviewerIsChecker(f"{recipe}: whoever reviewed it does not check it too")
    later = (
        MasterRecipe.objects.filter(product=recipe.product_id, version__gt=recipe.version)
        .filter(state=RecipeState.EFFECTIVE)
        .first()
    )
    if later is not None:
        raise RecipeOutdated(f"{later} is effective already; draft a new version from it")


def _is_reviewed(recipe: MasterRecipe) -> bool:
    return any(_is_review_of(recipe, signature) for signature in signing.of(recipe))


def _is_review_of(recipe: MasterRecipe, signature: Signature) -> bool:
    return (
        signature.meaning == Meaning.REVIEWED
        and signature.signer_id == recipe.reviewer_id
        and signing.is_current(signature, recipe)
    )


def _demand_duty(actor: Principal, step: Step) -> None:
    wanted = DUTIES[step]
    if not wanted & actor.duties:
        authority.demand(actor, min(wanted))
