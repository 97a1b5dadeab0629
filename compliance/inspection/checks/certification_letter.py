"""SG-09: ask for the letter by which electronic signatures were certified (21 CFR 11.100(c))."""

from compliance.access.models import CertificationLetter
from compliance.inspection import outcomes, wording
from compliance.inspection.outcomes import Evidence, Fact, Outcome
from compliance.inspection.registry import CHECKS, Parameters
from compliance.inspection.snapshots import Snapshot
from compliance.signatures.models import Signature


@CHECKS.register("SG-09")
def check(snapshot: Snapshot, parameters: Parameters) -> Outcome:
    """Report signatures in use for which no letter is on record: a question to the whole site."""
    if snapshot.scope:
        return outcomes.not_applicable("The letter is the site's; named batches do not have one.")
    signed = snapshot.rows(Signature).filter(signed_at__lte=snapshot.as_of)
    number = signed.count()
    if not number:
        return outcomes.not_applicable("No electronic signature is in use.")
    if snapshot.rows(CertificationLetter).exists():
        return outcomes.clean(examined=number)
    first = signed.order_by("signed_at", "pk")[0]
    return outcomes.finding(
        [
            Fact(
                f"No letter that certifies electronic signatures is on record; "
                f"{wording.count(number, 'signature')} {wording.was(number)} executed since "
                f"{wording.moment(first.signed_at)}.",
                evidence=(Evidence("signatures_signature", str(first.pk)),),
            )
        ],
        examined=number,
        failing=number,
    )
