"""Hold commitments that nothing opens against the redactions that the log tells of."""

from collections.abc import Iterable, Iterator, Mapping

from django.db.backends.utils import CursorWrapper

from compliance.trail import verified_documents
from compliance.trail.findings import Findings, Verdict
from compliance.trail.verifier.documents import Documents, Redaction
from compliance.trail.verifying.work import RangeResult


def check(
    cursor: CursorWrapper,
    results: Iterable[RangeResult],
    documents: Mapping[int, Documents],
    findings: Findings,
) -> frozenset[str]:
    """Name openings that are gone without a redaction, and redactions that no rule allows.

    Return what was redacted with one. A bundle's verifier reads redactions the same way.
    """
    declared = _declared(cursor)
    authorised = {
        (log_id, *one)
        for log_id, found in documents.items()
        for one in _authorised(found, declared, findings)
    }
    redacted = set()
    for result in results:
        for one in result.unopened:
            if (result.log_id, one.index, one.path) in authorised:
                redacted.add(f"{one.record} {one.path}")
                continue
            findings.add(
                Verdict.MISSING_OPENING,
                f"nothing opens the commitment to {one.path}, and no redaction says why",
                index=one.index,
                entry_id=one.entry_id,
                record=one.record,
            )
    return frozenset(redacted)


def _authorised(
    found: Documents, declared: frozenset[str], findings: Findings
) -> Iterator[tuple[int, str]]:
    for number, one in found.redactions.items():
        if number <= one.index:
            findings.add(Verdict.TAMPERED, "redacts an entry that was not there yet", index=number)
        elif len({name.strip().casefold() for name in one.persons} - {""}) != 2:
            findings.add(
                Verdict.TAMPERED, "a redaction without two different persons", index=number
            )
        elif not one.legal_basis.strip():
            findings.add(Verdict.TAMPERED, "a redaction without a legal basis", index=number)
        elif not _was_erasable(found, one, declared):
            findings.add(
                Verdict.TAMPERED,
                f"{one.path} could not be redacted when entry {one.index} was written",
                index=number,
            )
        else:
            yield one.index, one.path


def _was_erasable(found: Documents, one: Redaction, declared: frozenset[str]) -> bool:
    """Say what the list before the entry says, or any list where that one was not read.

    It was not when it is archived, in another log, or from before this verification begins.
    """
    if any(number < one.index for number in found.redactable):
        return found.may_redact(one.path, one.index)
    return one.path in declared


def _declared(cursor: CursorWrapper) -> frozenset[str]:
    listed = verified_documents.told(cursor, "redactable")
    return frozenset(path for document in listed for path in document["paths"])
