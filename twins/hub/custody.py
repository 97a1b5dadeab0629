"""Keep test sets: who opens one, when and why; and whether its data are independent."""

from datetime import datetime

from compliance.access import authority
from compliance.access.duties import Duty
from compliance.access.models import User
from compliance.refusals import Refused
from compliance.trail import recording, refusals
from twins.hub.actions import Action
from twins.hub.models import (
    CustodyLook,
    ModelVersion,
    Qualification,
    QualificationState,
    SealedTestSet,
    Trainer,
    TrainingBatch,
)


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
    _demand_no_trainer(qualification, actor=actor, at=at)
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
    """Raise `TestSetNotIndependent` for a batch in both; names and the order of rows hide nothing."""
    trained = TrainingBatch.objects.filter(dossier__version=version).values("content_digest")
    both = test_set.batches.filter(content_digest__in=trained).order_by("label")
    if labels := list(both.values_list("label", flat=True)):
        refused = TestSetNotIndependent(
            f"{test_set}: {', '.join(labels[:5])} was used to train {version}; "
            f"{len(labels)} of its batches are not independent"
        )
        _keep(refused, test_set, actor=actor, at=at)
        raise refused


def _demand_no_trainer(qualification: Qualification, *, actor: User, at: datetime) -> None:
    trainers = Trainer.objects.filter(dossier__version=qualification.version, person=actor)
    if trainers.exists():
        refused = TrainerMayNotLook(
            f"{actor.username} trained {qualification.version} and does not open its test set"
        )
        _keep(refused, qualification.test_set, actor=actor, at=at)
        raise refused


def _keep(refused: Refused, test_set: SealedTestSet, *, actor: User, at: datetime) -> None:
    refusals.record(
        refused, action=Action.TEST_SET_OPENED, actor=actor, at=at, subject=test_set.number
    )
