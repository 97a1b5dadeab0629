"""Say which alerts can be explained, and why another cannot."""

from django.db.models import Q, QuerySet

from compliance.refusals import Refused
from twins.predictions import explainable
from twins.predictions.models import Alert, AlertSide


class ExplanationNotOffered(Refused):
    """The alert is not about a whole batch, or its twin has nothing that could explain it."""

    code = "explanation-not-offered"


def offered() -> QuerySet[Alert]:
    """Return the alerts that can be explained."""
    return Alert.objects.filter(
        Q(prediction__model_version__name__in=explainable.TWINS), side=AlertSide.UNLIKE
    )


def demand(alert: Alert) -> None:
    """Pass when an alert can be explained, else raise `ExplanationNotOffered`."""
    if why := why_not(alert):
        raise ExplanationNotOffered(f"alert {alert.pk}: {why}")


def why_not(alert: Alert) -> str:
    """Say why an alert cannot be explained; nothing when it can."""
    if alert.side != AlertSide.UNLIKE:
        return "only alerts of a watching twin, about a whole batch, are explained"
    name = alert.prediction.model_version.name
    if name not in explainable.TWINS:
        known = ", ".join(sorted(explainable.TWINS))
        return f"what is usual of each sign is known beside {known} only, not beside {name}"
    return ""
