"""SG-04: look whether every signature shows what it must (21 CFR 11.50)."""

from compliance.inspection import outcomes, wording
from compliance.inspection.checks import signed_records
from compliance.inspection.outcomes import Evidence, Fact, Outcome
from compliance.inspection.registry import CHECKS, Parameters
from compliance.inspection.snapshots import Snapshot
from compliance.signatures.models import Meaning, Signature

_NO_ROLE = "no role"


@CHECKS.register("SG-04")
def check(snapshot: Snapshot, parameters: Parameters) -> Outcome:
    """Report signatures without printed name, user name, role or a known meaning."""
    examined = 0
    facts = []
    for signature in signed_records.signatures(snapshot):
        examined += 1
        if missing := _missing(signature):
            facts.append(
                Fact(
                    f"The signature of {signature.username or 'an unnamed signer'} under "
                    f"{signature.record} {signature.record_id} of "
                    f"{wording.moment(signature.signed_at)} lacks: {wording.listed(missing)}.",
                    evidence=(Evidence("signatures_signature", str(signature.pk)),),
                    people=frozenset({signature.username}),
                )
            )
    if not examined:
        return outcomes.not_applicable("No record in scope is signed.")
    return outcomes.judged(facts, examined=examined, failing=len(facts))


def _missing(signature: Signature) -> list[str]:
    shown = {
        "the printed name": signature.printed_name.strip(),
        "the user name": signature.username.strip(),
        "the role": signature.role.strip().replace(_NO_ROLE, ""),
        "a known meaning": signature.meaning if signature.meaning in Meaning.values else "",
    }
    return [name for name, value in shown.items() if not value]
