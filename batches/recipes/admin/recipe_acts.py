"""What people may do on a recipe's page: write in a draft, and lead the version on."""

import json
from typing import Any

from django.utils import timezone

from batches.recipes import documents, lines, master_recipes, versions
from batches.recipes.admin import forms
from batches.recipes.api.messages import RecipeDocumentIn
from batches.recipes.drafts import PhaseDraft, RecipeDraft
from batches.recipes.master_recipes import RecipeInvalid
from batches.recipes.models import MasterRecipe, Product, RecipeState
from batches.recipes.parts import KINDS, Kind
from batches.recipes.states import ALLOWED, Step
from compliance.access import acts
from compliance.access.acts import Act, Done, Occasion, ReasonForm
from compliance.access.duties import Duty
from compliance.signatures.forms import SignForm, SignWithReasonForm, confirmed


def _draft(occasion: Occasion) -> Done:
    given = occasion.values
    product = Product.objects.get(code=given["product"])
    phases = [_phase(line) for line in given["phases"].splitlines() if line.strip()]
    content = RecipeDraft(title=given["title"], phases=phases, parameters=[])
    recipe = master_recipes.draft(product, content=content, actor=occasion.actor, at=occasion.at)
    return Done(f"{recipe} is drafted. Write its parts, then submit it.", recipe)


def _phase(line: str) -> PhaseDraft:
    words = [word.strip() for word in line.split("/")]
    if len(words) != 3 or not words[0] or not words[2]:
        raise RecipeInvalid(f"“{line.strip()}” is not: unit procedure / operation / phase")
    return PhaseDraft(unit_procedure=words[0], operation=words[1], name=words[2])


def _import(occasion: Occasion) -> Done:
    try:
        document = json.loads(occasion.values["document"])
    except json.JSONDecodeError as error:
        raise RecipeInvalid(f"this is no JSON: {error}") from error
    body = RecipeDocumentIn(data=document)
    if not body.is_valid():
        raise RecipeInvalid(f"this is no exported recipe: {json.dumps(body.errors, default=str)}")
    recipe = documents.take(document, actor=occasion.actor, at=occasion.at)
    return Done(f"{recipe} is drafted from the document.", recipe)


def _copy(occasion: Occasion) -> Done:
    recipe = master_recipes.copy(
        occasion.record, actor=occasion.actor, at=occasion.at, **occasion.values
    )
    return Done(f"{recipe} is drafted from {occasion.record}.", recipe)


def _header(occasion: Occasion) -> Done:
    given = dict(occasion.values)
    reason = given.pop("reason")
    recipe = occasion.record
    master_recipes.revise(
        recipe, content=master_recipes.present(recipe, **given), actor=occasion.actor,
        at=occasion.at, reason=reason,
    )  # fmt: skip
    return Done("The header is written.")


def _write(kind: Kind) -> Any:
    def write(occasion: Occasion) -> Done:
        line = forms.draft_of(kind, dict(occasion.values))
        lines.put(
            occasion.record, kind=kind, line=line, place=occasion.values.get("place"),
            actor=occasion.actor, at=occasion.at, reason=occasion.values["reason"],
        )  # fmt: skip
        return Done(f"The {kind.singular} {kind.key_of(vars(line))} is written.")

    return write


def _take_out(occasion: Occasion) -> Done:
    name, _, key = occasion.values["line"].partition(":")
    lines.remove(
        occasion.record, kind=KINDS[name], key=key, actor=occasion.actor, at=occasion.at,
        reason=occasion.values["reason"],
    )  # fmt: skip
    return Done(f"The {KINDS[name].singular} {key} is taken out; the trail keeps it.")


def _submit(occasion: Occasion) -> Done:
    recipe = versions.submit(occasion.record, confirmed=confirmed(occasion))
    return Done(f"{recipe} is in review. A second engineer reviews it.")


def _discard(occasion: Occasion) -> Done:
    recipe = versions.discard(
        occasion.record, actor=occasion.actor, at=occasion.at, reason=occasion.values["reason"]
    )
    return Done(f"{recipe} is given up.")


def _review(occasion: Occasion) -> Done:
    recipe = versions.review(
        occasion.record, confirmed=confirmed(occasion), comment=occasion.values["comment"]
    )
    return Done(f"{recipe} is reviewed. Quality approves it.")


def _return(occasion: Occasion) -> Done:
    recipe = versions.return_(
        occasion.record, actor=occasion.actor, at=occasion.at, reason=occasion.values["reason"]
    )
    return Done(f"{recipe} is a draft again, for its author {recipe.author}.")


def _approve(occasion: Occasion) -> Done:
    recipe = versions.approve(
        occasion.record, confirmed=confirmed(occasion),
        effective_on=occasion.values["effective_on"],
    )  # fmt: skip
    if recipe.state == RecipeState.APPROVED:
        return Done(f"{recipe} is approved and takes effect on {recipe.effective_on}.")
    return Done(f"{recipe} is effective; batches are issued against it from now on.")


def _take_effect(occasion: Occasion) -> Done:
    recipe = versions.take_effect(occasion.record, actor=occasion.actor, at=occasion.at)
    return Done(f"{recipe} is effective; batches are issued against it from now on.")


def _withdraw(occasion: Occasion) -> Done:
    recipe = versions.withdraw(
        occasion.record, confirmed=confirmed(occasion), reason=occasion.values["reason"]
    )
    return Done(f"{recipe} is withdrawn.")


def _if(step: Step) -> Any:
    return lambda recipe: step in ALLOWED[recipe.state]


def _is_to_review(recipe: MasterRecipe) -> bool:
    return Step.REVIEW in ALLOWED[recipe.state] and recipe.reviewer_id is None


def _is_to_approve(recipe: MasterRecipe) -> bool:
    return Step.APPROVE in ALLOWED[recipe.state] and recipe.reviewer_id is not None


def _is_due(recipe: MasterRecipe) -> bool:
    today = timezone.now().date()
    return recipe.state == RecipeState.APPROVED and (recipe.effective_on or today) <= today


def _from_its_line(recipe: MasterRecipe) -> bool:
    return False  # reached by the links beside the lines, not by one more button


def _products(record: None) -> list[tuple[str, str]]:
    return [(one.code, f"{one.code} {one.name}") for one in Product.objects.order_by("code")]


_AUTHOR, _CHECKER = Duty.AUTHOR_RECIPE, Duty.APPROVE_RECIPE
acts.offer(
    MasterRecipe,
    Act(
        "draft", "Draft a recipe", _AUTHOR, _draft, form=forms.DraftForm, is_for_list=True,
        choices={"product": _products},
        explanation="To change a recipe that there is, copy its version on its page.",
    ),
    Act(
        "import", "Import a recipe", _AUTHOR, _import, form=forms.ImportForm, is_for_list=True,
        explanation="The document becomes a new draft; its digest has to fit its content.",
    ),
    Act(
        "submit", "Submit for review", _AUTHOR, _submit, form=SignForm,
        is_offered=_if(Step.SUBMIT),
        explanation="You sign as the author. Nothing can be changed after it, but by a return.",
    ),
    Act(
        "header", "Write the header", _AUTHOR, _header, form=forms.HeaderForm,
        is_offered=_if(Step.REVISE), initial=forms.header_of, is_replacing=True,
    ),
    *(
        Act(
            f"write-{kind.name}", f"Write: {kind.singular}", _AUTHOR, _write(kind),
            form=forms.LINE_FORMS[kind.name], is_offered=_from_its_line,
            initial=lambda recipe, kind=kind: forms.line_of(recipe, kind),  # type: ignore[misc]
            choices=forms.choices_of(kind), is_replacing=True,
            explanation="A line with the same key is written anew; the trail keeps what it said.",
        )
        for kind in KINDS.values()
    ),
    Act(
        "take-out", "Take out a line", _AUTHOR, _take_out, form=forms.TakeOutForm,
        is_offered=_if(Step.REVISE), choices={"line": forms.lines_of},
    ),
    Act("discard", "Discard", _AUTHOR, _discard, is_offered=_if(Step.DISCARD), is_grave=True),
    Act(
        "review", "Review", _AUTHOR, _review, form=forms.ReviewForm, is_offered=_is_to_review,
        explanation="You sign that you went through this version. The author cannot review.",
    ),
    Act(
        "approve", "Approve", _CHECKER, _approve, form=forms.ApproveForm,
        is_offered=_is_to_approve, is_grave=True,
        explanation="Your signature makes this version effective on its day and supersedes the "
        "one before. Neither the author nor the reviewer can approve.",
    ),
    Act("return", "Return to the author", _AUTHOR, _return, is_offered=_if(Step.RETURN)),
    Act(
        "send-back", "Return to the author", _CHECKER, _return, form=ReasonForm,
        is_offered=_if(Step.RETURN),
    ),
    Act(
        "take-effect", "Make effective", _CHECKER, _take_effect, form=acts.ConfirmForm,
        is_offered=_is_due, is_grave=True,
    ),
    Act(
        "withdraw", "Withdraw", _CHECKER, _withdraw, form=SignWithReasonForm,
        is_offered=_if(Step.WITHDRAW), is_grave=True,
        explanation="No batch is issued against this version any more. Batches that are issued "
        "go on; decide about them on their pages.",
    ),
    Act(
        "copy", "Draft a new version", _AUTHOR, _copy, form=forms.CopyForm,
        explanation="The new draft begins with everything that this version says.",
    ),
)  # fmt: skip
