"""Turn a request and the password in it into a confirmed signer."""

from django.utils import timezone
from rest_framework.request import Request

from compliance.access import callers
from compliance.signatures import signing
from compliance.signatures.signing import Confirmed


def confirmed(request: Request, password: str) -> Confirmed:
    """Re-authenticate who asks; raise what `signing.confirm` raises."""
    return signing.confirm(
        signer=callers.person(request),
        password=password,
        address=callers.address(request),
        at=timezone.now(),
    )
