"""Say which laboratory records belong to a set of batches."""

from django.db.models import Q, QuerySet

from batches.laboratory.models import OosInvestigation, Result, Run, Sample
from compliance.inspection import scopes
from compliance.inspection.scopes import Numbers


@scopes.rows_of(Sample)
def _samples(numbers: Numbers) -> QuerySet[Sample]:
    return Sample.objects.filter(batch__number__in=numbers)


@scopes.rows_of(Result)
def _results(numbers: Numbers) -> QuerySet[Result]:
    return Result.objects.filter(sample__batch__number__in=numbers)


@scopes.rows_of(OosInvestigation)
def _oos(numbers: Numbers) -> QuerySet[OosInvestigation]:
    return OosInvestigation.objects.filter(batch__number__in=numbers)


@scopes.rows_of(Run)
def _runs(numbers: Numbers) -> QuerySet[Run]:
    of_results = Q(results__sample__batch__number__in=numbers)
    of_injections = Q(injections__sample__batch__number__in=numbers)
    return Run.objects.filter(of_results | of_injections).distinct()
