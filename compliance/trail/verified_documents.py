"""Read what the log says of itself, as a bundle's verifier reads it."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from django.db.backends.utils import CursorWrapper

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


def told(cursor: CursorWrapper, kind: str) -> Iterator[dict[str, Any]]:
    """Yield what the rows of log events say of a kind; what is no document is named at its entry."""
    cursor.execute("SELECT to_regclass('public.trail_logevent') IS NULL")
    if cursor.fetchone() == (True,):
        return
    cursor.execute("SELECT document FROM public.trail_logevent WHERE kind = %s ORDER BY id", [kind])
    for (text,) in cursor.fetchall():
        try:
            document = json.loads(text)
        except (ValueError, TypeError):
            continue
        if isinstance(document, dict):
            yield document
