"""Say what a signature under a batch covers: the whole batch record (21 CFR 211.188, 11.70)."""

from collections.abc import Mapping
from datetime import datetime

from django.db import connection

from batches.execution.models import Batch
from compliance.signatures import signing
from compliance.trail.tlog import canonical

# Each of these rows carries the digest of its newest entry in the trail (`audit_head`); one hash
# over them in order stands for all of them, whatever their number.
_PARTS = {
    "phases": """
SELECT count(*), encode(sha256(coalesce(string_agg(audit_head, ''::bytea ORDER BY id), '')), 'hex')
FROM execution_batchphase WHERE batch_id = %s""",
    "events": """
SELECT count(*), encode(sha256(coalesce(string_agg(audit_head, ''::bytea ORDER BY id), '')), 'hex')
FROM execution_batchevent WHERE batch_id = %s""",
    "reading_segments": """
SELECT count(*), encode(sha256(coalesce(string_agg(audit_head, ''::bytea ORDER BY id), '')), 'hex')
FROM execution_readingsegment WHERE batch_id = %s""",
    "samples": """
SELECT count(*), encode(sha256(coalesce(string_agg(audit_head, ''::bytea ORDER BY id), '')), 'hex')
FROM laboratory_sample WHERE batch_id = %s""",
    "results": """
SELECT count(*),
    encode(sha256(coalesce(string_agg(r.audit_head, ''::bytea ORDER BY r.id), '')), 'hex')
FROM laboratory_result r JOIN laboratory_sample s ON s.id = r.sample_id WHERE s.batch_id = %s""",
}


@signing.signable(Batch)
def signed_content(batch: Batch) -> Mapping[str, canonical.Value]:
    """Everything of a batch but its disposition, which the signature brings about."""
    content: dict[str, canonical.Value] = {
        "number": batch.number,
        "recipe": str(batch.recipe),
        "recipe_digest": batch.recipe_digest,
        "state": batch.state,
        "issued_at": _text(batch.issued_at),
        "started_at": _text(batch.started_at),
        "ended_at": _text(batch.ended_at),
        "deviations": [
            [deviation.number, deviation.state, deviation.severity, deviation.conclusion]
            for deviation in batch.deviations.order_by("number")
        ],
    }
    with connection.cursor() as cursor:
        for name, statement in _PARTS.items():
            cursor.execute(statement, [batch.pk])
            count, digest = cursor.fetchone()
            content[name] = {"count": count, "sha256": digest}
    return content


def _text(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
