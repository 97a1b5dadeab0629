"""Say what a message is called that names itself in no other way; the rule is the contract's."""

from rest_framework.request import Request

from compliance.api_contract.idempotency import HEADER


def message_id(request: Request) -> str:
    """Return the name of this message: its Idempotency-Key."""
    return str(request.headers[HEADER])
