"""Signatures and the accountability statement over the API."""

from compliance.signatures.api import accountability, confirmations, register

urlpatterns = [
    *register.urlpatterns,
    *confirmations.urlpatterns,
    *accountability.urlpatterns,
]
