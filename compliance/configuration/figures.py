"""What changed in the installation itself, for periodic reviews (EU GMP Annex 11, 11)."""

from datetime import datetime

from compliance.configuration.models import ChangedSetting, ChangeState, ConfigurationChange
from compliance.quality import figures
from compliance.quality.figures import Figures

VERSION = "version"  # of the product, as a setting in force


@figures.register("configuration")
def configuration(start: datetime, end: datetime) -> Figures:
    found = ConfigurationChange.objects.filter(found_at__gte=start, found_at__lt=end)
    upgrades = ChangedSetting.objects.filter(change__in=found, name=VERSION).exclude(before="")
    return {
        "changes-found": found.count(),
        "not-assessed": found.filter(state=ChangeState.FOUND).count(),
        "upgrades": upgrades.count(),
    }
