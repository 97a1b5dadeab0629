"""Show the signatures under a record on its page (21 CFR 11.50)."""

from django.db import models

from compliance.access import page_parts
from compliance.access.page_parts import Note, Part, Section, Signed
from compliance.signatures import signing
from compliance.signatures.models import Signature


def section(record: models.Model, *, is_wide: bool = True) -> Section:
    """Return every signature under a record, superseded ones too."""
    parts: list[Part] = [
        shown(one, is_current=signing.is_current(one, record)) for one in signing.of(record)
    ]
    return Section("Signatures", parts or [Note("Not signed yet.")], is_wide=is_wide)


def shown(signature: Signature, *, is_current: bool) -> Signed:
    """Return one signature with name, user, role, meaning and moment."""
    return Signed(
        printed_name=signature.printed_name,
        username=signature.username,
        role=signature.role,
        meaning=signature.get_meaning_display(),
        at=page_parts.moment(signature.signed_at),
        comment=signature.comment,
        is_current=is_current,
    )
