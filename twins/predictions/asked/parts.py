"""Put what was asked of alerts into parts of pages."""

from django.utils.safestring import SafeString

from compliance.access import page_parts
from twins.hub.models import VersionState
from twins.predictions.asked.models import Asked


def badges(row: Asked) -> list[SafeString]:
    """Say how it stands, and whether it is a trial or of a version that is retired."""
    found = [page_parts.state(row.state, row.get_state_display())]
    if row.is_trial:
        found.append(page_parts.badge("Trial: version not qualified", "warn"))
    if row.prediction.model_version.state == VersionState.RETIRED:
        found.append(page_parts.badge("Version retired", "warn"))
    return found
