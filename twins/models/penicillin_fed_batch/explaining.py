"""Explain what a batch shows since a moment: weights of competing explanations, and what each one cost.

Arrays in, values out; the same arrays give the same bits. Only samples up to the last one are known.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from twins.models import integrate
from twins.models.integrate import IntegrationInaccurate
from twins.models.penicillin_fed_batch import (
    counterfactual,
    following,
    hypotheses,
    misfit,
    signatures,
)
from twins.models.penicillin_fed_batch.counterfactual import Class, Fate, Impact, NoCounterfactual
from twins.models.penicillin_fed_batch.hypotheses import BANK, Weighed
from twins.models.penicillin_fed_batch.replaying import TOLERANCE
from twins.models.penicillin_fed_batch.signatures import FloatArray, MomentInvalid, Shown

# What may have been is costed: explanations of this weight, and no more than so many.
COSTED_FROM, COSTED = 0.05, 3
MOST_STEPS = 8
# A batch of the source ends around here, and its recipe is known until there.
USUAL_END_H = 230.0


@dataclass(frozen=True)
class Costed:
    """An explanation with its impacts, or why there are none: the code and words of a refusal.

    One impact when the product counts at the last sample; else two, with a deviation that ends there and
    with one that goes on. `proposed` is a class only when both propose it.
    """

    name: str
    weight: float
    impacts: tuple[Impact, ...]
    refused: tuple[str, str] | None

    @property
    def proposed(self) -> Class | None:
        """Return the proposed class; none without an impact."""
        classes = {one.proposed for one in self.impacts}
        return classes.pop() if len(classes) == 1 else "undecided" if classes else None


@dataclass(frozen=True)
class Explanation:
    """What the signs show, the weights of the bank, and what the likeliest explanations cost."""

    shown: Shown
    weighed: Weighed
    costed: tuple[Costed, ...]
    filter_error: float


def explain(
    batch: Mapping[str, FloatArray],
    recipe: Mapping[str, FloatArray],
    *,
    onset: int,
    end: int,
    seed: int = 0,
) -> Explanation:
    """Explain a batch since sample `onset`, with its product at sample `end`; raise `MomentInvalid`
    or `IntegrationInaccurate`.

    `batch` has one array a tag, a value a sample of 12 minutes from inoculation to now, not a number
    where there is none; laboratory values stand where they were reported. `recipe` has the usual inputs
    at every age up to the end.
    """
    found, ensembles = followed(batch, seed=seed)
    now = len(found.error) - 1
    reach = min(len(column) for column in recipe.values())
    if not now <= end < reach:
        raise MomentInvalid(
            f"the end at {(end + 1) * following.SAMPLE_H:g} h is before the last sample, or beyond the "
            f"recipe's {reach * following.SAMPLE_H:g} h"
        )
    rows = signatures.traces(batch, recipe, found)
    shown = signatures.shown(rows, onset=onset, now=now)
    weighed = hypotheses.weigh(shown.size)
    fate = Fate(batch, recipe, ensembles, rows, onset, now, end)
    likeliest = hypotheses.ranked(weighed.weights)[:COSTED]
    chosen = [place for place in likeliest if weighed.weights[place] >= COSTED_FROM]
    return Explanation(
        shown=shown,
        weighed=weighed,
        costed=tuple(
            _cost(BANK[one].name, float(weighed.weights[one]), fate, found) for one in chosen
        ),
        filter_error=float(found.error.max()),
    )


def followed(
    batch: Mapping[str, FloatArray], *, seed: int = 0
) -> tuple[following.Features, FloatArray]:
    """Follow a batch with steps as fine as the tolerance asks for; raise `IntegrationInaccurate`."""
    found, ensembles = following.follow(batch, seed=seed)
    steps = 1
    while float(found.error.max()) > TOLERANCE and steps < MOST_STEPS:
        steps *= 2
        found, ensembles = following.follow(batch, seed=seed, steps=steps)
    integrate.require(float(found.error.max()), tolerance=TOLERANCE)
    return found, ensembles


def _cost(name: str, weight: float, fate: Fate, found: following.Features) -> Costed:
    futures = (False,) if fate.end == fate.now else (False, True)
    try:
        _require_described(found)
        impacts = tuple(counterfactual.impact(name, fate, goes_on=one) for one in futures)
    except (NoCounterfactual, IntegrationInaccurate) as refusal:
        return Costed(name, weight, (), (refusal.code, str(refusal)))
    return Costed(name, weight, impacts, None)


def _require_described(found: following.Features) -> None:
    """Raise `NoCounterfactual` where a forecast would be silent: its equations are not this batch's."""
    now = misfit.of(np.stack([found.innovation, found.spread], axis=-1))
    if now > misfit.STRANGE:
        raise NoCounterfactual(
            "no impact is stated: the equations do not describe this batch, what was measured stays on "
            f"one side of the estimate (misfit {now:.1f}, at most {misfit.STRANGE:g})"
        )
