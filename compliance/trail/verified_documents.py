"""Read what the log says of itself, as a bundle's verifier reads it."""

from collections.abc import Iterable

from compliance.trail.findings import Findings, Verdict
from compliance.trail.verifier import documents
from compliance.trail.verifier.documents import Documents
from compliance.trail.verifying.work import RangeResult


def read(results: Iterable[RangeResult], findings: Findings) -> dict[int, Documents]:
    """Return the documents of each log; name what cannot be read."""
    found: dict[int, Documents] = {}
    for result in results:
        own = found.setdefault(result.log_id, Documents())
        for index, kind, text in result.documents:
            try:
                documents.keep(own, index, kind, text)
            except documents.UNREADABLE as error:
                findings.add(
                    Verdict.NONCANONICAL, f"the document about {kind}: {error}", index=index
                )
    return found
