"""SG-05: compare the records that rest on a signature with what was signed (21 CFR 11.70)."""

from compliance.inspection import outcomes, wording
from compliance.inspection.checks import signed_records
from compliance.inspection.outcomes import Evidence, Fact, Outcome
from compliance.inspection.registry import CHECKS, Parameters
from compliance.inspection.snapshots import Snapshot
from compliance.signatures import signing
from compliance.signatures.models import Meaning, Signature

# These end something: the record counts because of them. A review or an investigation that the
# record has outgrown is signed again before anything rests on it.
CONCLUDING = frozenset({Meaning.APPROVED, Meaning.CLOSED, Meaning.RELEASED, Meaning.REJECTED})


@CHECKS.register("SG-05")
def check(snapshot: Snapshot, parameters: Parameters) -> Outcome:
    """Report records that are not, any more, what an effective signature was given under."""
    examined, facts = 0, []
    for signature, record in signed_records.relied_upon(snapshot):
        if signature.meaning not in CONCLUDING:
            continue
        examined += 1
        if record is None:
            facts.append(_fact(signature, "does not exist"))
        elif not signing.is_current(signature, record):
            facts.append(_fact(signature, f"({record}) is not the version that was signed"))
    if not examined:
        return outcomes.not_applicable("No record in scope rests on a concluding signature.")
    return outcomes.judged(facts, examined=examined, failing=len(facts))


def _fact(signature: Signature, problem: str) -> Fact:
    return Fact(
        f"{signature.record} {signature.record_id} {problem}: {signature.printed_name} "
        f"({signature.username}) signed it on {wording.moment(signature.signed_at)} with the "
        f"meaning “{signature.get_meaning_display()}”, digest {signature.record_digest[:16]}....",
        evidence=(
            Evidence("signatures_signature", str(signature.pk), {"meaning": signature.meaning}),
            Evidence(signature.record, signature.record_id),
        ),
        people=frozenset({signature.username}),
    )
