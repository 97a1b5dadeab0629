"""Hold commitments that nothing opens against the redactions that the log tells of."""

import json
from collections.abc import Iterable

from compliance.trail.findings import Findings, Verdict
from compliance.trail.verifying.work import RangeResult


def check(results: Iterable[RangeResult], findings: Findings) -> frozenset[str]:
    """Name the openings that are gone without a redaction; return what was redacted with one.

    A redaction is a log event whose document has members `index` and `path`.
    """
    authorised: set[tuple[object, object]] = set()
    unopened = []
    for result in results:
        authorised |= {
            (document.get("index"), document.get("path"))
            for document in map(_document, result.redactions)
        }
        unopened += result.unopened
    redacted = set()
    for one in unopened:
        if (one.index, one.path) in authorised:
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


def _document(text: str) -> dict[str, object]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    if not isinstance(found, dict):
        return {}
    hashable = (str, int, type(None))
    return {key: value for key, value in found.items() if isinstance(value, hashable)}
