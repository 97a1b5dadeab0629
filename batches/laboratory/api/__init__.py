"""What people of the laboratory do over the API; what systems post is in the exchange."""

from batches.laboratory.api import oos, runs, specifications, stability

urlpatterns = [
    *specifications.urlpatterns,
    *runs.urlpatterns,
    *oos.urlpatterns,
    *stability.urlpatterns,
]
