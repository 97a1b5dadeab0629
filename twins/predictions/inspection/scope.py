"""Say which predictions and alerts belong to a set of batches."""

from django.db.models import QuerySet

from compliance.inspection import scopes
from compliance.inspection.scopes import Numbers
from twins.predictions.models import Alert, Prediction


@scopes.rows_of(Prediction)
def _predictions(numbers: Numbers) -> QuerySet[Prediction]:
    return Prediction.objects.filter(batch__number__in=numbers)


@scopes.rows_of(Alert)
def _alerts(numbers: Numbers) -> QuerySet[Alert]:
    return Alert.objects.filter(batch__number__in=numbers)
