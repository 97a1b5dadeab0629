"""SG-02: find one person in two capacities that need two people."""

from collections import defaultdict

from compliance.inspection import outcomes, wording
from compliance.inspection.outcomes import Evidence, Fact, Outcome
from compliance.inspection.registry import CHECKS, Parameters
from compliance.inspection.snapshots import Snapshot
from compliance.quality.models import Deviation
from compliance.signatures import signing
from compliance.signatures.models import Meaning, Signature


@CHECKS.register("SG-02")
def check(snapshot: Snapshot, parameters: Parameters) -> Outcome:
    """Report closures signed by the investigator alone (211.192)."""
    facts = []
    examined = 0
    for deviation in snapshot.rows(Deviation):
        by_meaning: dict[str, list[Signature]] = defaultdict(list)
        for signature in signing.of(deviation):
            by_meaning[signature.meaning].append(signature)
        for closing in by_meaning[Meaning.CLOSED]:
            examined += 1
            investigators = {one.signer_id for one in by_meaning[Meaning.INVESTIGATED]}
            if investigators == {closing.signer_id}:
                facts.append(
                    Fact(
                        f"{closing.printed_name} signed both the investigation and the closure of "
                        f"{deviation.number}, the closure on {wording.moment(closing.signed_at)}.",
                        evidence=(
                            Evidence(
                                "signatures_signature",
                                str(closing.pk),
                                {"username": closing.username, "meaning": closing.meaning},
                            ),
                        ),
                        people=frozenset({closing.username}),
                    )
                )
    if not examined:
        return outcomes.not_applicable("No closure of a deviation in scope is signed.")
    return outcomes.judged(facts, examined=examined, failing=len(facts))
