"""Name the batches that an investigation extends to, and link those that are affected (211.192)."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from batches.execution import batches
from batches.execution.models import Batch
from compliance.access.authority import Principal
from compliance.quality import occurrences, scope
from compliance.quality.models import Deviation
from compliance.quality.scope import Suggestion

BATCH = "batch"
PERIOD = timedelta(days=30)


@scope.register("same-product-and-period")
def same_product_and_period(deviation: Deviation) -> Iterator[Suggestion]:
    """Name the batches of the same product that were issued within thirty days."""
    linked = list(deviation.batches.select_related("recipe__product").order_by("number"))
    for batch in linked:
        near = (
            Batch.objects.filter(
                recipe__product=batch.recipe.product_id,
                issued_at__gte=batch.issued_at - PERIOD,
                issued_at__lte=batch.issued_at + PERIOD,
            )
            .exclude(pk__in=[one.pk for one in linked])
            .order_by("number")
        )
        for other in near:
            because = f"of {batch.recipe.product.code} as {batch.number}, issued within 30 days"
            yield Suggestion(kind=BATCH, name=other.number, because=because)


@scope.on_affected(BATCH)
def link(deviation: Deviation, name: str, actor: Principal, at: datetime, reason: str) -> None:
    """Link an affected batch, so that its release waits for the deviation too."""
    batch = Batch.objects.filter(number=name).first()
    if batch is None or batch.deviations.filter(pk=deviation.pk).exists():
        return
    batches.link_deviation(batch, deviation=deviation, actor=actor, at=at, reason=reason)


@occurrences.register("batches started")
def started(since: datetime, until: datetime) -> int:
    return Batch.objects.filter(started_at__gt=since, started_at__lte=until).count()
