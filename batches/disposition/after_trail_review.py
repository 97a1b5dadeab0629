"""Say which entries of a batch wait for the review of its trail, and are no news to it (PI 041-1, 9.6).

What quality says of the batch: its review of the record, its decisions, certificates, shipments,
the signatures under these, and the disposition of the batch. Whatever else comes is news.
"""

from collections.abc import Iterator, Sequence

from batches.disposition.models import BatchReview, Certificate, Decision, Shipment
from batches.execution.models import Batch
from compliance.quality import trail_scopes
from compliance.quality.trail_scopes import Row
from compliance.signatures.models import Signature
from compliance.trail import capture
from compliance.trail.verifier.contents import Kind

_SIGNED = (BatchReview, Decision, Certificate)
_OWN = frozenset(capture.record_of(model) for model in (*_SIGNED, Shipment))
_MOVES = "disposition."


@trail_scopes.comes_after(Kind.BATCH)
def after(number: str, rows: Sequence[Row]) -> Iterator[int]:
    """Yield the entries of the disposition itself."""
    batch, signature = capture.record_of(Batch), capture.record_of(Signature)
    signed = {
        str(key)
        for model in _SIGNED
        for key in model._default_manager.filter(batch__number=number).values_list(
            "signature_id", flat=True
        )
    }
    for row in rows:
        table, key = row.record
        if (
            table in _OWN
            or (table == batch and row.action.startswith(_MOVES))
            or (table == signature and key in signed)
        ):
            yield row.entry
