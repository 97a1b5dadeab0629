"""Give the signatures under a record as blocks of a report (21 CFR 11.50(b))."""

from collections.abc import Sequence

from django.db import models

from compliance.reports.document import SignatureBlock
from compliance.signatures import signing, verdicts
from compliance.signatures.verdicts import Verdict

UNSIGNED = "UNSIGNED"


def of(record: models.Model) -> list[SignatureBlock]:
    """Give each signature under a record with how it stands, superseded ones too."""
    return [block(verdict) for verdict in verdicts.of_record(record)]


def block(verdict: Verdict) -> SignatureBlock:
    signature = verdict.signature
    return SignatureBlock(
        printed_name=signature.printed_name,
        username=signature.username,
        role=signature.role,
        meaning=signature.get_meaning_display(),
        signed_at=signing.local_time(signature),
        digest=signature.record_digest,
        is_current=verdict.is_valid,
        standing=verdict.explanation,
        means=verdict.confirmed_by,
    )


def watermark(blocks: Sequence[SignatureBlock]) -> str | None:
    """Return what stands across a printout that no valid signature covers."""
    return None if any(one.is_current for one in blocks) else UNSIGNED
