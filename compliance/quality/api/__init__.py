"""The quality system over the API."""

from compliance.quality.api import capas, changes, deviations, reviews, risks

urlpatterns = [
    *deviations.urlpatterns,
    *capas.urlpatterns,
    *changes.urlpatterns,
    *risks.urlpatterns,
    *reviews.urlpatterns,
]
