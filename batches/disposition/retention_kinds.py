"""Say what the records of a batch, a deviation and a recipe are, and from when their terms count."""

from collections.abc import Iterator
from datetime import date

from batches.disposition import batch_evidence
from batches.disposition.models import RELEASES, Outcome
from batches.execution.models import Batch, DispositionState
from batches.recipes.models import MasterRecipe, RecipeState
from compliance.quality.models import Deviation
from compliance.retention import kinds, retention
from compliance.retention.kinds import Kind, RecordKey
from compliance.retention.periods import Anchors
from compliance.signatures.models import Signature
from compliance.trail import capture

BATCH, DEVIATION, RECIPE = "batch-record", "deviation", "master-recipe"


def _of_batch(number: str) -> Anchors:
    """A released batch counts from its expiry, and from its certification when it has one."""
    batch = Batch.objects.get(number=number)
    if batch.disposition == DispositionState.REJECTED:
        rejected = batch.decisions.filter(outcome=Outcome.REJECTED).latest("pk")
        return {"rejection": rejected.decided_at.date(), **_certified(batch)}
    release = batch.decisions.filter(outcome__in=RELEASES).order_by("pk").last()
    expiry = release.expires_on if release else None
    return {"expiry": expiry, **_certified(batch)}


def _certified(batch: Batch) -> dict[str, date | None]:
    last = batch.certificates.order_by("serial").last()
    return {} if last is None else {"certification": last.certified_at.date()}


def _batch_records(number: str) -> Iterator[RecordKey]:
    batch = Batch.objects.get(number=number)
    yield (capture.record_of(MasterRecipe), str(batch.recipe_id))
    yield from batch_evidence.records(batch)


def _of_deviation(number: str) -> Anchors:
    deviation = Deviation.objects.get(number=number)
    closed = deviation.closed_at.date() if deviation.closed_at else None
    batches = list(deviation.batches.values_list("number", flat=True))
    return {"closure": closed, **_latest(batches)}


def _deviation_records(number: str) -> Iterator[RecordKey]:
    deviation = Deviation.objects.get(number=number)
    key = (capture.record_of(Deviation), str(deviation.pk))
    yield key
    signatures = Signature.objects.filter(record=key[0], record_id=key[1])
    for pk in signatures.values_list("pk", flat=True):
        yield (capture.record_of(Signature), str(pk))


def _recipe(name: str) -> MasterRecipe | None:
    """Return the recipe of a name such as "PRODUCT v2"."""
    product, _, version = name.rpartition(" v")
    if not version.isdigit():
        return None
    return MasterRecipe.objects.filter(product__code=product, version=int(version)).first()


def _of_recipe(name: str) -> Anchors:
    recipe = _recipe(name)
    assert recipe is not None  # noqa: S101 -- `exists` was asked
    later = MasterRecipe.objects.filter(product=recipe.product_id, version__gt=recipe.version)
    followed = later.exclude(effective_at=None).order_by("version").first()
    is_over = recipe.state == RecipeState.SUPERSEDED and followed is not None
    ended = followed.effective_at.date() if is_over and followed and followed.effective_at else None
    batches = list(recipe.batches.values_list("number", flat=True))
    return {"superseded": ended, **_latest(batches)}


def _recipe_records(name: str) -> Iterator[RecordKey]:
    recipe = _recipe(name)
    if recipe is None:
        return
    yield (capture.record_of(MasterRecipe), str(recipe.pk))
    for rows in (recipe.phases.all(), recipe.parameters.all()):
        table = capture.record_of(rows.model)
        yield from ((table, str(pk)) for pk in rows.values_list("pk", flat=True))


def _latest(batches: list[str]) -> dict[str, date | None]:
    """The last day on which one of the batches is kept; None when one of them has no known end."""
    if not batches:
        return {}
    ends = [retention.until(BATCH, number).until for number in batches]
    known = [end for end in ends if end is not None]
    return {"batches": max(known) if len(known) == len(ends) else None}


kinds.register(
    BATCH,
    Kind(
        "Batch record",
        lambda number: Batch.objects.filter(number=number).exists(),
        _of_batch,
        _batch_records,
    ),
)
kinds.register(
    DEVIATION,
    Kind(
        "Deviation",
        lambda number: Deviation.objects.filter(number=number).exists(),
        _of_deviation,
        _deviation_records,
    ),
)
kinds.register(
    RECIPE,
    Kind("Master recipe", lambda name: _recipe(name) is not None, _of_recipe, _recipe_records),
)
