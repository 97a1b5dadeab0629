"""Review a batch record by exception, and sign exactly what was reviewed (21 CFR 211.192)."""

from collections.abc import Mapping

from django.db import connection

from batches.disposition import makers
from batches.disposition.actions import Action
from batches.disposition.models import BatchReview
from batches.execution import review_items, states
from batches.execution.models import Batch
from batches.execution.states import Step
from compliance.access import authority
from compliance.access.duties import Duty
from compliance.refusals import Refused
from compliance.signatures import signing
from compliance.signatures.models import Meaning
from compliance.signatures.signing import Confirmed
from compliance.trail import recording, stored
from compliance.trail.tlog import canonical


class RecordChanged(Refused):
    """What is to be signed is not what was looked at."""

    code = "record-changed"


class RemarksNeeded(Refused):
    """A review says what was seen."""

    code = "remarks-needed"
    status = 422


def sign(batch: Batch, *, seen: str, remarks: str, confirmed: Confirmed) -> BatchReview:
    """Sign the review of a batch record; `seen` is the digest of what the reviewer looked at.

    Raise `RecordChanged` when anything was recorded in between.
    """
    actor, at = confirmed.signer, confirmed.at
    authority.demand(actor, Duty.DECIDE_DISPOSITION)
    text = " ".join(remarks.split())
    if len(text) < 8:
        raise RemarksNeeded("say in 8 characters or more what the review found")
    with recording.recording(Action.BATCH_REVIEWED, actor=actor, at=at, reason=text):
        held = states.take(batch, Step.REVIEW)
        makers.demand_other(held, actor)
        if signing.digest(held) != seen:
            raise RecordChanged(
                f"the record of {held.number} changed while it was reviewed: look at what is new, "
                "then sign"
            )
        size = _tree_size()
        signature = signing.sign(
            held, meaning=Meaning.REVIEWED, confirmed=confirmed,
            comment=f"{text} (trail of {size} entries)",
        )  # fmt: skip
        return BatchReview.objects.create(
            batch=held,
            content_digest=signature.record_digest,
            tree_size=size,
            counts=_counts(held),
            remarks=text,
            signature=signature,
            reviewed_at=at,
        )


def current(batch: Batch) -> BatchReview | None:
    """Return the newest review of the record as it is now, if there is one."""
    return (
        BatchReview.objects.filter(batch=batch, content_digest=signing.digest(batch))
        .select_related("signature")
        .order_by("-pk")
        .first()
    )


def _counts(batch: Batch) -> Mapping[str, canonical.Value]:
    return {
        name: {"records": item.count, "exceptions": item.exception_count}
        for name, _, item in review_items.of(batch)
    }


def _tree_size() -> int:
    with connection.cursor() as cursor:
        return stored.state(cursor).size
