"""Say which specification governs a batch: the one effective when the batch was issued.

A batch of a product without a specification keeps the limits of its recipe; nothing here
judges it then.
"""

from django.db.models import Q

from batches.execution.models import Batch
from batches.laboratory.models import (
    Sample,
    SpecificationTest,
    SpecificationUse,
    SpecificationVersion,
    TestDecision,
    TestDecisionKind,
)


def version_of(batch: Batch) -> SpecificationVersion | None:
    """Return the version of the release specification that was effective at the issue."""
    return (
        SpecificationVersion.objects.filter(
            Q(superseded_at=None) | Q(superseded_at__gt=batch.issued_at),
            specification__product=batch.recipe.product_id,
            specification__use=SpecificationUse.RELEASE,
            effective_at__lte=batch.issued_at,
        )
        .select_related("specification")
        .order_by("-version")
        .first()
    )


def test_for(sample: Sample, tag: str) -> SpecificationTest | None:
    """Return the test that judges a result of a sample; one for its very point comes first."""
    return (
        SpecificationTest.objects.filter(
            Q(version__superseded_at=None) | Q(version__superseded_at__gt=sample.batch.issued_at),
            Q(point="") | Q(point=sample.point),
            tag=tag,
            version__specification__product__recipes=sample.batch.recipe_id,
            version__specification__use=SpecificationUse.RELEASE,
            version__effective_at__lte=sample.batch.issued_at,
        )
        .select_related("version__specification")
        .order_by("-version__version", "-point")
        .first()
    )


def decided(batch: Batch) -> dict[int, TestDecision]:
    """Return the newest decision about each test of a batch, by the test's key."""
    found = TestDecision.objects.filter(batch=batch).select_related("test", "decided_by")
    return {one.test_id: one for one in found.order_by("pk")}


def on_hold(batch: Batch, test: SpecificationTest) -> bool:
    last = TestDecision.objects.filter(batch=batch, test=test).order_by("-pk").first()
    return last is not None and last.kind == TestDecisionKind.HOLD
