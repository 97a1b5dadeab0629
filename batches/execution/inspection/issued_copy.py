"""BR-02: compare the recipe a batch was issued against with the recipe as it is stored now."""

from batches.execution.models import Batch
from batches.recipes import master_recipes
from batches.recipes.models import RecipeState
from compliance.inspection import outcomes
from compliance.inspection.outcomes import Evidence, Fact, Outcome
from compliance.inspection.registry import CHECKS, Parameters
from compliance.inspection.snapshots import Snapshot


@CHECKS.register("BR-02")
def check(snapshot: Snapshot, parameters: Parameters) -> Outcome:
    """Report batches whose issued copy is not the approved master recipe."""
    batches = list(snapshot.rows(Batch).select_related("recipe__product", "recipe__author"))
    if not batches:
        return outcomes.not_applicable("No batch is in scope.")
    facts = []
    for batch in batches:
        now = master_recipes.digest(batch.recipe)
        problem = ""
        if now != batch.recipe_digest:
            problem = (
                f"was issued against {batch.recipe} with the digest {batch.recipe_digest[:16]}; "
                f"the recipe stored now has {now[:16]}"
            )
        elif batch.recipe.state == RecipeState.DRAFT:
            problem = f"was issued against {batch.recipe}, which was never approved"
        if problem:
            facts.append(
                Fact(
                    f"Batch {batch.number} {problem}.",
                    evidence=(
                        Evidence(
                            "execution_batch",
                            str(batch.pk),
                            {"recipe": str(batch.recipe), "recipe_digest": batch.recipe_digest},
                        ),
                    ),
                    batches=frozenset({batch.number}),
                )
            )
    return outcomes.judged(facts, examined=len(batches), failing=len(facts))
