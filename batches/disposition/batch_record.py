"""Say what a signature under a batch covers: the whole batch record (21 CFR 211.188, 11.70)."""

from collections.abc import Mapping
from datetime import datetime

from batches.execution import belongings
from batches.execution.models import Batch
from compliance.signatures import signing
from compliance.signatures.models import Meaning
from compliance.trail.tlog import canonical


@signing.signable(
    Batch,
    meanings={
        Meaning.REVIEWED,
        Meaning.RELEASED,
        Meaning.REJECTED,
        Meaning.APPROVED,
        Meaning.CERTIFIED,
    },
)
def signed_content(batch: Batch) -> Mapping[str, canonical.Value]:
    """Everything of a batch but its disposition, which the signature brings about.

    What belongs to it is in there by digest: whatever a room registers in `belongings`.
    """
    return {
        "number": batch.number,
        "recipe": str(batch.recipe),
        "recipe_digest": batch.recipe_digest,
        "state": batch.state,
        "issued_at": _text(batch.issued_at),
        "started_at": _text(batch.started_at),
        "ended_at": _text(batch.ended_at),
        **belongings.digests(batch),
    }


def _text(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
