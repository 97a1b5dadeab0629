"""Run the test of a version once its test set is open, and record how it scored."""

from collections.abc import Mapping, Sequence

from compliance.access import authority
from compliance.access.duties import Duty
from compliance.quality import deviations
from compliance.quality.models import Category, Deviation, Severity
from compliance.refusals import Refused
from compliance.signatures import signing
from compliance.signatures.models import Meaning
from compliance.signatures.signing import Confirmed
from compliance.trail import recording
from compliance.trail.tlog import canonical
from twins.hub import batch_answers, batch_models, custody, protocols, sealed_sets
from twins.hub.actions import Action
from twins.hub.dossiers import BatchRows
from twins.hub.models import (
    AnsweredBy,
    Qualification,
    QualificationState,
    RunOutcome,
    TestRun,
)
from twins.models import documents
from twins.models.qualification import criteria, scoring
from twins.models.qualification.criteria import Verdict
from twins.models.qualification.scoring import Answer, AnswersIncomplete, Label, Score


class LabelsNotSealed(Refused):
    """The labels are not those that were sealed."""

    code = "labels-not-sealed"
    status = 422


class AnswersRefused(Refused):
    code = "answers-incomplete"
    status = 422


def run(
    qualification: Qualification, *, labels: Mapping[str, Label],
    answers: Mapping[str, Answer] | None = None, batches: Sequence[BatchRows] = (),
    why: str, confirmed: Confirmed,
) -> TestRun:  # fmt: skip
    """Open the sealed set, score the answers, sign the run; a failed one opens a deviation.

    Labels and answers are by the digest of a batch's content. A trained batch twin is given the
    rows and answers by itself: nobody answers for it. Raise what `custody.look` raises,
    `LabelsNotSealed`, or `AnswersRefused`; nothing is opened then, and the attempt is on record.
    """
    try:
        return _run(qualification, labels, answers, batches, why=why, confirmed=confirmed)
    except Refused as refused:
        custody.keep_refused(
            refused, qualification.test_set, actor=confirmed.signer, at=confirmed.at
        )
        raise


def _run(
    qualification: Qualification, labels: Mapping[str, Label], answers: Mapping[str, Answer] | None,
    batches: Sequence[BatchRows], *, why: str, confirmed: Confirmed,
) -> TestRun:  # fmt: skip
    actor, at = confirmed.signer, confirmed.at
    authority.demand(actor, Duty.KEEP_TEST_SET)
    said = _answers(qualification, answers, batches)
    with recording.recording(
        Action.VERSION_TESTED, actor=actor, at=at, reason=f"test of {qualification.version}"
    ):
        look = custody.look(qualification, why=why, actor=actor, at=at)
        locked = Qualification.objects.select_for_update(of=("self",)).get(pk=qualification.pk)
        if locked.state != QualificationState.APPROVED:
            raise protocols.QualificationStateForbids(
                f"{locked} has its test run; draft another qualification for a second look"
            )
        scores = _scored(locked, labels, said)
        verdicts = criteria.judge(protocols.criteria_of(locked), scores)
        outcome = _outcome(scores[scoring.EVERYBODY], verdicts)
        made = TestRun.objects.create(
            qualification=locked,
            look=look,
            is_second_look=look.number > 1,
            answered_by=AnsweredBy.VERSION if batches else AnsweredBy.KEEPER,
            answers=documents.of(said),
            scores=documents.of(list(scores.values())),
            verdicts=documents.of(verdicts),
            outcome=outcome,
            deviation=None
            if outcome == RunOutcome.PASSED
            else _open_deviation(locked, outcome, verdicts, confirmed),
            run_by=actor,
            run_at=at,
        )
        signing.sign(made, meaning=Meaning.PERFORMED, confirmed=confirmed)
        is_passed = outcome == RunOutcome.PASSED
        locked.state = QualificationState.PASSED if is_passed else QualificationState.FAILED
        locked.save(update_fields=["state"])
    return made


@signing.signable(TestRun, meanings={Meaning.PERFORMED})
def content(made: TestRun) -> Mapping[str, canonical.Value]:
    return {
        "qualification": made.qualification.number,
        "look": made.look.number,
        "is_second_look": made.is_second_look,
        "labels_digest": made.qualification.test_set.labels_digest,
        "answered_by": made.answered_by,
        "answers": made.answers,
        "scores": made.scores,
        "verdicts": made.verdicts,
        "outcome": made.outcome,
        "deviation": made.deviation.number if made.deviation else "",
    }


def _answers(
    qualification: Qualification, answers: Mapping[str, Answer] | None, batches: Sequence[BatchRows]
) -> Mapping[str, Answer]:
    """Return what the version says of each batch; raise `AnswersRefused` when somebody else did."""
    version = qualification.version
    if not batch_models.is_trained(version):
        if answers is None or batches:
            raise AnswersRefused(f"{version} is not asked here: hand in its answers")
        return answers
    if answers is not None or not batches:
        raise AnswersRefused(f"{version} answers by itself: hand in the rows of each batch")
    custody.demand_no_copy(version, qualification.test_set, batches)
    return batch_answers.of_version(version, batches)


def _scored(
    qualification: Qualification, labels: Mapping[str, Label], answers: Mapping[str, Answer]
) -> dict[str, Score]:
    test_set = qualification.test_set
    if sealed_sets.labels_digest(labels) != test_set.labels_digest:
        raise LabelsNotSealed(f"these labels are not the ones that were sealed with {test_set}")
    try:
        return scoring.score(labels, answers)
    except AnswersIncomplete as error:
        raise AnswersRefused(f"{qualification}: {error}") from error


def _outcome(score: Score, verdicts: tuple[Verdict, ...]) -> RunOutcome:
    if not score.has_skill:
        return RunOutcome.WITHOUT_SKILL
    is_met = all(verdict.is_met for verdict in verdicts)
    return RunOutcome.PASSED if is_met else RunOutcome.FAILED


def _open_deviation(
    qualification: Qualification, outcome: RunOutcome, verdicts: tuple[Verdict, ...],
    confirmed: Confirmed,
) -> Deviation:  # fmt: skip
    missed = [f"{one.criterion}: {_said(one.value)}" for one in verdicts if not one.is_met]
    return deviations.open_(
        title=f"{qualification.version.name} failed its qualification {qualification}"[:200],
        description="\n".join([f"{outcome.label} in {qualification.test_set}.", *missed]),
        severity=Severity.MAJOR,
        occurred_at=confirmed.at,
        actor=confirmed.signer,
        at=confirmed.at,
        category=Category.COMPUTERISED_SYSTEM,
        concerns=f"model {qualification.version}",
    )


def _said(value: float | None) -> str:
    return "it could not be taken" if value is None else f"it was {value:.4g}"
