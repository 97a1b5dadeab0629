"""Signatures and the accountability statement over the API."""

from compliance.signatures.api import accountability, register

urlpatterns = [*register.urlpatterns, *accountability.urlpatterns]
