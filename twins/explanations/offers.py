"""Say which alerts can be explained, and why another cannot."""

from django.db.models import Q, QuerySet

from compliance.refusals import Refused
from twins.hub.models import VersionState
from twins.predictions import explainable
from twins.predictions.models import Alert, AlertSide


class ExplanationNotOffered(Refused):
    """The alert is not about a whole batch, or its twin is retired or has nothing to explain it by."""

    code = "explanation-not-offered"


def offered() -> QuerySet[Alert]:
    """Return the alerts that can be explained."""
    known = Alert.objects.filter(
        Q(prediction__model_version__name__in=explainable.TWINS), side=AlertSide.UNLIKE
    )
    return known.exclude(prediction__model_version__state=VersionState.RETIRED)


def demand(alert: Alert) -> None:
    """Pass when an alert can be explained, else raise `ExplanationNotOffered`."""
    if why := why_not(alert):
        raise ExplanationNotOffered(f"alert {alert.pk}: {why}")


def why_not(alert: Alert) -> str:
    """Say why an alert cannot be explained; nothing when it can."""
    if alert.side != AlertSide.UNLIKE:
        return "only alerts of a watching twin, about a whole batch, are explained"
    version = alert.prediction.model_version
    name = version.name
    if name not in explainable.TWINS:
        known = ", ".join(sorted(explainable.TWINS))
        return f"what is usual of each sign is known beside {known} only, not beside {name}"
    if version.state == VersionState.RETIRED:
        return f"{name} is retired: it explains no more"
    return ""
