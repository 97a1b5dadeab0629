"""Hold, resume or skip a test of a batch, by signature of quality (21 CFR 211.160(a))."""

from batches.execution.models import Batch
from batches.laboratory import governing
from batches.laboratory.actions import Action
from batches.laboratory.models import SpecificationTest, TestDecision, TestDecisionKind
from compliance.access import authority
from compliance.access.duties import Duty
from compliance.refusals import Refused
from compliance.signatures import signing
from compliance.signatures.models import Meaning
from compliance.signatures.signing import Confirmed
from compliance.trail import recording
from compliance.trail.tlog import canonical

Kind = TestDecisionKind


class DecisionNotPossible(Refused):
    """The test is not of this batch, may not be skipped, or stands so already."""

    code = "test-decision-not-possible"


def decide(
    batch: Batch, *, test: SpecificationTest, kind: TestDecisionKind, confirmed: Confirmed,
    reason: str,
) -> TestDecision:  # fmt: skip
    """Decide about one test of one batch; the newest decision counts, all stay."""
    actor, at = confirmed.signer, confirmed.at
    authority.demand(actor, Duty.APPROVE_SPECIFICATION)
    text = recording.demand_reason(reason)
    with recording.recording(Action.TEST_DECIDED, actor=actor, at=at, reason=text):
        Batch.objects.select_for_update(no_key=True).get(pk=batch.pk)
        _demand_possible(batch, test, kind)
        made = TestDecision.objects.create(
            batch=batch, test=test, kind=kind, reason=text, decided_by=actor, decided_at=at
        )
        signing.sign(made, meaning=Meaning.APPROVED, confirmed=confirmed, comment=text)
    return made


def _demand_possible(batch: Batch, test: SpecificationTest, kind: TestDecisionKind) -> None:
    if test.version != governing.version_of(batch):
        raise DecisionNotPossible(f"{test} does not govern {batch}")
    last = TestDecision.objects.filter(batch=batch, test=test).order_by("-pk").first()
    stands = Kind(last.kind) if last else Kind.RESUME
    if kind == stands:
        raise DecisionNotPossible(f"{test.tag} of {batch} is {kind.label.lower()} already")
    if kind == Kind.SKIP and not test.may_be_skipped:
        raise DecisionNotPossible(
            f"{test}: the specification does not let this test be skipped; change it first"
        )


@signing.signable(TestDecision, meanings=[Meaning.APPROVED])
def content(decision: TestDecision) -> dict[str, canonical.Value]:
    """What a signature under a decision covers."""
    return {
        "batch": decision.batch.number,
        "test": str(decision.test),
        "kind": decision.kind,
        "reason": decision.reason,
    }
