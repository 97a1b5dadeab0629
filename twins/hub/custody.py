"""Keep test sets: who opens one, when and why; and whether its data are independent."""

from collections.abc import Sequence
from datetime import datetime

from compliance.access import authority
from compliance.access.duties import Duty
from compliance.access.models import User
from compliance.refusals import Refused
from compliance.trail import recording, refusals
from compliance.trail.models import Refusal
from twins.hub.actions import Action
from twins.hub.dossiers import BatchRows
from twins.hub.models import (
    CustodyLook,
    ModelDossier,
    ModelVersion,
    Qualification,
    QualificationState,
    SealedTestSet,
    Trainer,
    TrainingBatch,
)
from twins.models.qualification import copies


class CriteriaNotSigned(Refused):
    """A test set is opened after the criteria for it are signed (Annex 22 draft, 4)."""

    code = "criteria-not-signed"


class TrainerMayNotLook(Refused):
    """Whoever trained a model does not see its test data (Annex 22 draft, 6)."""

    code = "trainer-may-not-look"
    status = 403


class TestSetNotIndependent(Refused):
    """A batch of the test set is one that the model was trained on (Annex 22 draft, 6)."""

    __test__ = False  # for pytest, which takes the name for a test
    code = "test-set-not-independent"


def look(qualification: Qualification, *, why: str, actor: User, at: datetime) -> CustodyLook:
    """Open the test set of a qualification, and put the look on record; each one counts.

    Raise `CriteriaNotSigned`, `TrainerMayNotLook` or `TestSetNotIndependent`; such an attempt is on
    record as a refusal, whatever the caller rolls back.
    """
    authority.demand(actor, Duty.KEEP_TEST_SET)
    text = recording.demand_reason(why)
    _demand_apart(qualification, actor=actor, at=at)
    demand_independent(qualification.version, qualification.test_set, actor=actor, at=at)
    with recording.recording(Action.TEST_SET_OPENED, actor=actor, at=at, reason=text):
        test_set = SealedTestSet.objects.select_for_update().get(pk=qualification.test_set_id)
        protocol = Qualification.objects.select_for_update(of=("self",)).get(pk=qualification.pk)
        is_signed = protocol.state != QualificationState.DRAFT
        if not is_signed or protocol.approved_at is None or protocol.approved_at >= at:
            raise CriteriaNotSigned(
                f"{protocol}: the criteria are signed before {test_set} is opened, not after"
            )
        return CustodyLook.objects.create(
            test_set=test_set,
            number=test_set.looks.count() + 1,
            qualification=protocol,
            looked_by=actor,
            looked_at=at,
            why=text,
        )


def demand_independent(
    version: ModelVersion, test_set: SealedTestSet, *, actor: User, at: datetime
) -> None:
    """Raise `TestSetNotIndependent` for a batch in both, or a person in both.

    Names and the order of rows hide no batch.
    """
    trained = TrainingBatch.objects.filter(dossier__version=version).values("content_digest")
    if test_set.sealed_by_id in _makers(version):
        sealed_by = TestSetNotIndependent(
            f"{test_set} was sealed by {test_set.sealed_by.username}, who made {version}: whoever "
            "knows the data of a test makes no model for it"
        )
        keep_refused(sealed_by, test_set, actor=actor, at=at)
        raise sealed_by
    both = test_set.batches.filter(content_digest__in=trained).order_by("label")
    if labels := list(both.values_list("label", flat=True)):
        refused = TestSetNotIndependent(
            f"{test_set}: {', '.join(labels[:5])} was used to train {version}; "
            f"{len(labels)} of its batches are not independent"
        )
        keep_refused(refused, test_set, actor=actor, at=at)
        raise refused


def demand_no_copy(
    version: ModelVersion, test_set: SealedTestSet, batches: Sequence[BatchRows]
) -> None:
    """Raise `TestSetNotIndependent` when the rows are those of a training batch, a little altered.

    A digest knows exact copies only. Here the means of a batch are compared with those of each
    training batch, in standard deviations between training batches.
    """
    trained = TrainingBatch.objects.filter(dossier__version=version).order_by("pk")
    known = [(one.label, {name: float(mean) for name, mean in one.means}) for one in trained]
    for batch in batches:
        if copied := copies.nearest(batch.means, known):
            raise TestSetNotIndependent(
                f"{test_set}: {batch.label} is {copied} of the training of {version} with "
                f"values altered: its means agree within {copies.NEAR:g} standard deviations"
            )


def refused(test_set: SealedTestSet) -> list[Refusal]:
    """Return the attempts to open a test set that were refused, oldest first."""
    found = Refusal.objects.filter(action=Action.TEST_SET_OPENED, subject=test_set.number)
    return list(found.order_by("pk"))


def keep_refused(refused: Refused, test_set: SealedTestSet, *, actor: User, at: datetime) -> None:
    """Put a refused attempt on record, whatever the caller rolls back; each one counts."""
    refusals.record(
        refused,
        action=Action.TEST_SET_OPENED,
        actor=actor,
        at=at,
        subject=test_set.number,
        repeat="",
    )


def _makers(version: ModelVersion) -> set[int]:
    """Return whoever trained a version or prepared its dossier."""
    prepared = ModelDossier.objects.filter(version=version).values_list("prepared_by", flat=True)
    trained = Trainer.objects.filter(dossier__version=version).values_list("person", flat=True)
    return {*prepared, *trained}


def _demand_apart(qualification: Qualification, *, actor: User, at: datetime) -> None:
    if actor.pk in _makers(qualification.version):
        refused = TrainerMayNotLook(
            f"{actor.username} made {qualification.version} and does not open its test set"
        )
        keep_refused(refused, qualification.test_set, actor=actor, at=at)
        raise refused
