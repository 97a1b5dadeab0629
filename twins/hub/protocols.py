"""Draft the protocol of a qualification, and sign its criteria before any test data are seen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from compliance import numbering
from compliance.access import authority
from compliance.access.duties import Duty
from compliance.access.models import User
from compliance.quality import changes
from compliance.refusals import Refused
from compliance.signatures import signing
from compliance.signatures.models import Meaning
from compliance.signatures.signing import Confirmed
from compliance.trail import recording
from compliance.trail.tlog import canonical
from twins.hub import custody, dossiers
from twins.hub.actions import Action
from twins.hub.models import (
    Criterion,
    ModelVersion,
    Qualification,
    QualificationState,
    SealedTestSet,
    VersionState,
)
from twins.models import documents
from twins.models.qualification import criteria as acceptance
from twins.models.qualification import scoring

_LEAST = 20


class ProtocolInvalid(Refused):
    code = "qualification-invalid"
    status = 422


class QualificationStateForbids(Refused):
    code = "qualification-state"


class AuthorIsApprover(Refused):
    code = "author-is-approver"


@dataclass(frozen=True)
class Contract:
    """What the watch holds a qualified version to, as shares of batches."""

    drift_alpha: float = 0.05
    false_alarms: float = 0.05
    misses: float = 0.35


def draft(
    version: ModelVersion, *, test_set: SealedTestSet, criteria: Sequence[acceptance.Criterion],
    replaces: str, contract: Contract, actor: User, at: datetime, change_number: str = "",
) -> Qualification:  # fmt: skip
    """Write the protocol of a test; nobody opens the test set before another person approves it.

    A criterion on skill above 0 is demanded: at least as good as what it replaces. The second
    version of a model on names the change control that puts it in the place of the first (Annex 22
    draft, 10). Raise `ProtocolInvalid`, `DossierIncomplete` or `TestSetNotIndependent`.
    """
    authority.demand(actor, Duty.AUTHOR_MODEL)
    dossiers.of(version)
    _demand_whole(version, test_set, criteria, replaces, contract)
    _demand_change_named(version, change_number)
    custody.demand_independent(version, test_set, actor=actor, at=at)
    with recording.recording(
        Action.QUALIFICATION_DRAFTED, actor=actor, at=at, reason=f"protocol for {version}"
    ):
        qualification = Qualification.objects.create(
            number=numbering.next_number(Qualification, prefix="QUA", at=at),
            version=version,
            test_set=test_set,
            replaces=replaces.strip(),
            change_number=change_number.strip(),
            drift_alpha=str(documents.of(contract.drift_alpha)),
            false_alarm_contract=str(documents.of(contract.false_alarms)),
            miss_contract=str(documents.of(contract.misses)),
            author=actor,
            drafted_at=at,
        )
        Criterion.objects.bulk_create(
            Criterion(
                qualification=qualification, metric=one.metric, comparison=one.comparison,
                threshold=str(documents.of(float(one.threshold))), population=one.population,
            )
            for one in criteria
        )  # fmt: skip
    return qualification


def approve(qualification: Qualification, *, confirmed: Confirmed, reason: str) -> Qualification:
    """Approve the criteria by the signature of somebody other than their author.

    Raise `ChangeNotApproved` while the change control that the protocol names is not approved.
    """
    actor, at = confirmed.signer, confirmed.at
    authority.demand(actor, Duty.APPROVE_MODEL)
    text = recording.demand_reason(reason)
    with recording.recording(Action.QUALIFICATION_APPROVED, actor=actor, at=at, reason=text):
        locked = Qualification.objects.select_for_update().get(pk=qualification.pk)
        if locked.state != QualificationState.DRAFT:
            raise QualificationStateForbids(f"{locked} is {locked.get_state_display().lower()}")
        if locked.author_id == actor.pk:
            raise AuthorIsApprover(f"{locked}: its author does not approve it; ask a second person")
        if locked.change_number:
            changes.demand_approved(locked.change_number)
        locked.signature = signing.sign(
            locked, meaning=Meaning.APPROVED, confirmed=confirmed, comment=text
        )
        locked.state = QualificationState.APPROVED
        locked.approver = actor
        locked.approved_at = at
        locked.save(update_fields=["state", "signature", "approver", "approved_at"])
    return locked


def criteria_of(qualification: Qualification) -> tuple[acceptance.Criterion, ...]:
    """Return the criteria as they are judged."""
    return tuple(
        acceptance.Criterion(
            one.metric,
            acceptance.Comparison(one.comparison),
            float(one.threshold),
            one.population,
        )
        for one in qualification.criteria.order_by("pk")
    )


@signing.signable(Qualification, meanings={Meaning.APPROVED})
def content(qualification: Qualification) -> Mapping[str, canonical.Value]:
    """What is decided before the test: version, data, criteria and contract."""
    return {
        "number": qualification.number,
        "version": [
            qualification.version.name,
            qualification.version.code_digest,
            qualification.version.parameters_digest,
        ],
        "test_set": qualification.test_set.number,
        "replaces": qualification.replaces,
        "change_number": qualification.change_number,
        "drift_alpha": qualification.drift_alpha,
        "false_alarm_contract": qualification.false_alarm_contract,
        "miss_contract": qualification.miss_contract,
        "author": qualification.author.username,
        "criteria": [
            [one.metric, one.comparison, one.threshold, one.population]
            for one in qualification.criteria.order_by("pk")
        ],
    }


def predecessors(version: ModelVersion) -> QuerySet[ModelVersion]:
    """Return the versions of the same model that are or were qualified."""
    model = version.name.split("@")[0]
    named = ModelVersion.objects.filter(Q(name=model) | Q(name__startswith=f"{model}@"))
    return named.exclude(pk=version.pk).exclude(qualified_at=None).order_by("pk")


def _demand_change_named(version: ModelVersion, change_number: str) -> None:
    earlier = predecessors(version).last()
    if earlier is not None and not change_number.strip():
        raise ProtocolInvalid(
            f"{earlier} was qualified before: name the change control that puts {version} in its place"
        )


def _demand_whole(
    version: ModelVersion, test_set: SealedTestSet, criteria: Sequence[acceptance.Criterion],
    replaces: str, contract: Contract,
) -> None:  # fmt: skip
    if version.state != VersionState.DRAFT:
        raise ProtocolInvalid(f"{version} is {version.get_state_display().lower()} already")
    if len(replaces.strip()) < _LEAST:
        raise ProtocolInvalid("say what the model replaces, and how well that does it")
    populations = {scoring.EVERYBODY, *(row[0] for row in test_set.coverage)}
    for one in criteria:
        if one.metric not in scoring.METRICS:
            known = ", ".join(scoring.METRICS)
            raise ProtocolInvalid(f"there is no metric {one.metric}; known: {known}")
        if one.population not in populations:
            raise ProtocolInvalid(f"{test_set} has no subgroup {one.population}")
    if not any(one.metric.endswith("skill") and one.population == "all" for one in criteria):
        raise ProtocolInvalid("one criterion is on skill over the naive baseline, in all batches")
    shares = (contract.drift_alpha, contract.false_alarms, contract.misses)
    if not all(0.0 < share < 1.0 for share in shares):
        raise ProtocolInvalid("rates of the contract lie between 0 and 1")
