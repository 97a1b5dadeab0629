"""Say which records of the laboratory belong to a batch."""

from collections.abc import Callable
from typing import Any

from django.db.models import Model, QuerySet

from batches.execution import belongings
from batches.execution.models import Batch
from batches.laboratory.models import (
    ComplaintBatch,
    CustodyEvent,
    OosDeviation,
    OosInvestigation,
    Replicate,
    Result,
    ResultInvalidation,
    ResultReview,
    Retest,
    Sample,
    SampleCustody,
    StabilityPull,
    StabilityResult,
    StabilityReview,
    StabilityStudy,
    TestDecision,
)

# What a release rests on, each with its way to the batch.
_SIGNED: dict[str, tuple[type[Model], str]] = {
    "samples": (Sample, "batch"),
    "results": (Result, "sample__batch"),
    "replicates": (Replicate, "result__sample__batch"),
    "result-reviews": (ResultReview, "result__sample__batch"),
    "result-invalidations": (ResultInvalidation, "result__sample__batch"),
    "oos-investigations": (OosInvestigation, "batch"),
    "oos-retests": (Retest, "oos__batch"),
    "oos-deviations": (OosDeviation, "oos__batch"),
    "test-decisions": (TestDecision, "batch"),
    "complaints": (ComplaintBatch, "batch"),
}
# What goes on after it for years, and is judged by the rooms themselves: an OOS of a study is above.
_BESIDE: dict[str, tuple[type[Model], str]] = {
    "sample-custody": (SampleCustody, "sample__batch"),
    "custody-events": (CustodyEvent, "sample__batch"),
    "stability-studies": (StabilityStudy, "batch"),
    "stability-pulls": (StabilityPull, "study__batch"),
    "stability-results": (StabilityResult, "pull__study__batch"),
    "stability-reviews": (StabilityReview, "result__pull__study__batch"),
}


def _rows(model: type[Any], path: str) -> Callable[[Batch], "QuerySet[Any]"]:
    return lambda batch: model.objects.filter(**{path: batch})


for _name, (_model, _path) in _SIGNED.items():
    belongings.register(_name)(_rows(_model, _path))
for _name, (_model, _path) in _BESIDE.items():
    belongings.register(_name, is_signed=False)(_rows(_model, _path))
