"""Check an issued copy against its master record by a second person (EU GMP 4.20; 211.188(a))."""

from collections.abc import Mapping

from batches.execution import copying, states
from batches.execution.actions import Action
from batches.execution.models import Batch, IssuedCopy
from batches.execution.states import Step
from compliance.access import authority
from compliance.access.duties import Duty
from compliance.refusals import Refused
from compliance.signatures import signing
from compliance.signatures.models import Meaning
from compliance.signatures.signing import Confirmed
from compliance.trail import recording
from compliance.trail.tlog import canonical


class IssuerChecks(Refused):
    """Whoever issued a copy does not check it."""

    code = "issuer-checks"
    status = 403


class CopyChecked(Refused):
    code = "copy-checked"


class CopyNotExact(Refused):
    """The copy and its master record differ (21 CFR 211.188(a))."""

    code = "copy-not-exact"


def check(batch: Batch, *, confirmed: Confirmed) -> Batch:
    """Check an issued copy against its master, by signature of another person (EU GMP 4.20)."""
    checker, at = confirmed.signer, confirmed.at
    authority.demand(checker, Duty.APPROVE_RECIPE)
    with recording.recording(
        Action.COPY_CHECKED, actor=checker, at=at, reason=f"check of the issued copy {batch.number}"
    ):
        held = states.take(batch, Step.CHECK_COPY)
        if held.issued_by_id == checker.pk:
            raise IssuerChecks(f"{checker.username} issued {held.number}; another person checks it")
        if held.checked_by_id is not None:
            raise CopyChecked(f"the copy of {held.number} is checked already")
        if not copying.is_exact(held):
            raise CopyNotExact(f"{held.number} is no exact copy of {held.recipe}: issue it anew")
        held.checked_by, held.checked_at = checker, at
        held.save(update_fields=["checked_by", "checked_at"])
        kept = IssuedCopy.objects.get(batch=held)
        signing.sign(kept, meaning=Meaning.VERIFIED, confirmed=confirmed)
    return held


@signing.signable(IssuedCopy, meanings={Meaning.VERIFIED})
def signed_copy(kept: IssuedCopy) -> Mapping[str, canonical.Value]:
    return {"batch": kept.batch.number, "content": kept.content}
