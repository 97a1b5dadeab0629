"""Seal test sets: their content by digest, what they cover, and where they came from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from compliance import numbering
from compliance.access import authority
from compliance.access.duties import Duty
from compliance.refusals import Refused
from compliance.signatures import signing
from compliance.signatures.models import Meaning
from compliance.signatures.signing import Confirmed
from compliance.trail import recording
from compliance.trail.tlog import canonical
from twins.hub.actions import Action
from twins.hub.dossiers import BatchRows
from twins.hub.models import SealedBatch, SealedTestSet
from twins.models import documents
from twins.models.qualification.contents import Row, RowsUnreadable
from twins.models.qualification.scoring import Label

_LEAST = 20


class TestSetInvalid(Refused):
    __test__ = False  # for pytest, which takes the name for a test
    code = "test-set-invalid"
    status = 422


@dataclass(frozen=True)
class LabelledBatch:
    """A batch of a test set: its rows, and what really happened in it."""

    name: str
    rows: Sequence[Row]
    label: Label

    @cached_property
    def rows_of_batch(self) -> BatchRows:
        """Return the batch without its label."""
        return BatchRows(self.name, self.rows)

    @property
    def digest(self) -> str:
        """Return the digest of the content; raise `RowsUnreadable`."""
        return self.rows_of_batch.digest


def seal(
    *, name: str, batches: Sequence[LabelledBatch], provenance: str, label_provenance: str,
    is_generated: bool, exclusions: Sequence[tuple[str, str]], confirmed: Confirmed,
) -> SealedTestSet:  # fmt: skip
    """Seal a test set by signature. Neither rows nor labels are kept here: their digests are.

    `exclusions` names the batches that were left out, each with its reason.
    """
    actor, at = confirmed.signer, confirmed.at
    authority.demand(actor, Duty.KEEP_TEST_SET)
    _demand_whole(name, batches, provenance, label_provenance, exclusions)
    digests = {batch.name: _digest(batch) for batch in batches}
    if len(set(digests.values())) < len(batches):
        raise TestSetInvalid(f"{name}: two batches have the same name or the same content")
    _demand_silent(batches)
    labels = {digests[batch.name]: batch.label for batch in batches}
    with recording.recording(
        Action.TEST_SET_SEALED, actor=actor, at=at, reason=f"test set {name} is sealed"
    ):
        test_set = SealedTestSet.objects.create(
            number=numbering.next_number(SealedTestSet, prefix="TST", at=at),
            name=name.strip(),
            provenance=provenance.strip(),
            label_provenance=label_provenance.strip(),
            is_generated=is_generated,
            labels_digest=labels_digest(labels),
            coverage=[list(row) for row in _coverage(batches)],
            exclusions=[[batch, reason.strip()] for batch, reason in exclusions],
            sealed_by=actor,
            sealed_at=at,
        )
        SealedBatch.objects.bulk_create(
            SealedBatch(
                test_set=test_set, label=batch.name, content_digest=digests[batch.name],
                subgroup=batch.label.subgroup, rows=len(batch.rows),
            )
            for batch in batches
        )  # fmt: skip
        signing.sign(test_set, meaning=Meaning.AUTHORED, confirmed=confirmed)
    return test_set


def labels_digest(labels: Mapping[str, Label]) -> str:
    """Return the digest of the labels of batches, which are known by the digest of their content."""
    return documents.digest(labels)


@signing.signable(SealedTestSet, meanings={Meaning.AUTHORED})
def content(test_set: SealedTestSet) -> Mapping[str, canonical.Value]:
    return {
        "number": test_set.number,
        "name": test_set.name,
        "provenance": test_set.provenance,
        "label_provenance": test_set.label_provenance,
        "is_generated": test_set.is_generated,
        "labels_digest": test_set.labels_digest,
        "coverage": test_set.coverage,
        "exclusions": test_set.exclusions,
        "batches": [
            [one.label, one.content_digest, one.subgroup, one.rows]
            for one in test_set.batches.order_by("pk")
        ],
    }


def _digest(batch: LabelledBatch) -> str:
    try:
        return batch.digest
    except RowsUnreadable as error:
        raise TestSetInvalid(f"{batch.name}: {error}") from error


def _coverage(batches: Sequence[LabelledBatch]) -> list[tuple[str, int, int]]:
    table = []
    for subgroup in sorted({batch.label.subgroup for batch in batches}):
        inside = [batch.label for batch in batches if batch.label.subgroup == subgroup]
        events = sum(label.onset_h is not None for label in inside)
        table.append((subgroup, len(inside), events))
    return table


def _demand_whole(
    name: str, batches: Sequence[LabelledBatch], provenance: str, label_provenance: str,
    exclusions: Sequence[tuple[str, str]],
) -> None:  # fmt: skip
    if not name.strip() or not batches:
        raise TestSetInvalid("a test set has a name and batches")
    if SealedTestSet.objects.filter(name=name.strip()).exists():
        raise TestSetInvalid(f"there is a test set named {name.strip()} already")
    if len(provenance.strip()) < _LEAST or len(label_provenance.strip()) < _LEAST:
        raise TestSetInvalid(
            f"say in {_LEAST} characters or more where the data came from, and who verified labels"
        )
    if any(not batch.label.subgroup.strip() for batch in batches):
        raise TestSetInvalid("each batch belongs to a subgroup")
    for batch, reason in exclusions:
        # Annex 22 draft, 5: what is excluded is justified.
        if len(reason.strip()) < 8:
            raise TestSetInvalid(f"{batch} is left out without a reason")


def _demand_silent(batches: Sequence[LabelledBatch]) -> None:
    """Refuse a coverage that tells labels: everybody reads it, and the subgroup of each batch."""
    for subgroup, count, events in _coverage(batches):
        if events in (0, count):
            raise TestSetInvalid(
                f"{subgroup}: {events} of {count} batches have an event, so that its coverage tells "
                "the label of each; form subgroups that have batches of both"
            )
