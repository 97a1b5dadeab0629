"""Hold commitments that nothing opens against the redactions that the log tells of."""

from collections.abc import Iterable

from compliance.trail.findings import Findings, Verdict
from compliance.trail.tlog import canonical
from compliance.trail.tlog.canonical import NotCanonical
from compliance.trail.verifier import documents, shapes
from compliance.trail.verifying.work import RangeResult


def check(results: Iterable[RangeResult], findings: Findings) -> frozenset[str]:
    """Name the openings that are gone without a redaction; return what was redacted with one.

    A redaction is a log event of the same log, of the form that evidence bundles demand too.
    """
    authorised: set[tuple[int, int, str]] = set()
    unopened = []
    for result in results:
        for told in filter(None, map(_redaction, result.redactions)):
            authorised.add((result.log_id, told.index, told.path))
        unopened += [(result.log_id, one) for one in result.unopened]
    redacted = set()
    for log_id, one in unopened:
        if (log_id, one.index, one.path) in authorised:
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


def _redaction(text: str) -> documents.Redaction | None:
    """Return what counts as a redaction: leaf and value, a legal basis, two different persons."""
    try:
        value = canonical.loads(text.encode())
        shapes.version(shapes.members(value, ("v",), more=True)["v"], documents.VERSION)
        found = documents.redaction(value)
    except (NotCanonical, shapes.Wrong):
        return None
    persons = {one.strip().casefold() for one in found.persons} - {""}
    return found if len(persons) == 2 and found.legal_basis.strip() else None
