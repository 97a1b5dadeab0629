"""Find the records of the laboratory that an address or a body names."""

from collections.abc import Mapping
from typing import Any

from django.shortcuts import get_object_or_404
from rest_framework import serializers

from batches.execution.models import Batch
from batches.laboratory.models import (
    Complaint,
    Injection,
    OosInvestigation,
    Reagent,
    Result,
    Run,
    Sample,
    Specification,
    SpecificationVersion,
    StabilityPull,
    StabilityResult,
    StabilityStudy,
)
from batches.recipes.models import Product
from compliance.access.models import User
from compliance.quality.models import Deviation

Where = Mapping[str, Any]


def nothing(where: Where) -> None:
    """Find nothing: the act makes a new record."""


def specification(where: Where) -> Specification:
    return get_object_or_404(Specification, code=where["code"])


def version(where: Where) -> SpecificationVersion:
    found = SpecificationVersion.objects.select_related("specification", "author", "approver")
    return get_object_or_404(found, specification__code=where["code"], version=where["version"])


def batch(where: Where) -> Batch:
    return get_object_or_404(Batch.objects.select_related("recipe"), number=where["number"])


def sample(where: Where) -> Sample:
    found = Sample.objects.select_related("batch", "standing", "parent")
    return get_object_or_404(found, batch__number=where["number"], number=where["sample"])


def reagent(where: Where) -> Reagent:
    return get_object_or_404(Reagent, code=where["code"], lot=where["lot"])


def run(where: Where) -> Run:
    found = Run.objects.select_related("analyst", "reviewer")
    return get_object_or_404(found, number=where["number"])


def injection(where: Where) -> Injection:
    return get_object_or_404(
        Injection.objects.select_related("run"),
        run__number=where["number"],
        number=where["injection"],
    )


def result(where: Where) -> Result:
    found = Result.objects.select_related("sample__batch", "test", "run")
    return get_object_or_404(found, pk=where["pk"])


def oos(where: Where) -> OosInvestigation:
    found = OosInvestigation.objects.select_related(
        "batch", "test", "investigator", "retest_analyst", "approver", "result__sample"
    )
    return get_object_or_404(found, number=where["number"])


def study(where: Where) -> StabilityStudy:
    found = StabilityStudy.objects.select_related("batch", "specification__specification", "author")
    return get_object_or_404(found, number=where["number"])


def pull(where: Where) -> StabilityPull:
    found = StabilityPull.objects.select_related("study__specification", "study__batch")
    return get_object_or_404(found, study__number=where["number"], month=where["month"])


def stability_result(where: Where) -> StabilityResult:
    return get_object_or_404(StabilityResult.objects.select_related("pull__study"), pk=where["pk"])


def complaint(where: Where) -> Complaint:
    return get_object_or_404(Complaint, number=where["number"])


# --- What a body names: a name that is nobody's is a fault of the body


def named(model: type[Any], member: str, **by: Any) -> Any:
    """Return the record that a member of the body names, or refuse the body."""
    found = model.objects.filter(**by).first()
    if found is None:
        raise serializers.ValidationError(
            {member: f"there is no {' '.join(map(str, by.values()))}"}
        )
    return found


def product(code: str) -> Product | None:
    return named(Product, "product", code=code) if code else None


def deviation(number: str) -> Deviation:
    return named(Deviation, "deviation", number=number)  # type: ignore[no-any-return]


def person(username: str) -> User:
    return named(User, "analyst", username__iexact=username)  # type: ignore[no-any-return]


def sample_of(batch_number: str, number: str) -> Sample:
    return named(Sample, "sample", batch__number=batch_number, number=number)  # type: ignore[no-any-return]
