"""Say which laboratory records belong to a set of batches."""

from django.db.models import QuerySet

from batches.laboratory.models import Result, Sample
from compliance.inspection import scopes
from compliance.inspection.scopes import Numbers


@scopes.rows_of(Sample)
def _samples(numbers: Numbers) -> QuerySet[Sample]:
    return Sample.objects.filter(batch__number__in=numbers)


@scopes.rows_of(Result)
def _results(numbers: Numbers) -> QuerySet[Result]:
    return Result.objects.filter(sample__batch__number__in=numbers)
