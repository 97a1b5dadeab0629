"""The pages of the quality system."""

from compliance.quality.admin import (  # noqa: F401
    capas,
    changes,
    deviation_acts,
    deviations,
    investigation_acts,
    overdue,
    reviews,
    risks,
    trail_reviews,
)
from compliance.quality.admin.deviation_acts import OpenForm

__all__ = ["OpenForm"]
