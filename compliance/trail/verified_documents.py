"""Read what the log says of itself, as a bundle's verifier reads it."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.db.backends.utils import CursorWrapper

from compliance.trail import event_documents, log_events
from compliance.trail.event_documents import EventMalformed
from compliance.trail.findings import Findings, Verdict
from compliance.trail.verifier import documents
from compliance.trail.verifier.documents import Documents
from compliance.trail.verifying.commitments import KINDS
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
    """Yield what the rows of log events say of a kind; `check` names those that say nothing."""
    if _has_rows(cursor):
        cursor.execute(
            "SELECT document FROM public.trail_logevent WHERE kind = %s ORDER BY id", [kind]
        )
        yield from log_events.readable(kind, [text or "" for (text,) in cursor.fetchall()])


def check(cursor: CursorWrapper, findings: Findings) -> None:
    """Name log events that say nothing: of no kind that the product writes, or of another form.

    Those that `read` reads are named there, at their leaf.
    """
    if not _has_rows(cursor):
        return
    cursor.execute(
        "SELECT id::text, kind::text, document FROM public.trail_logevent "
        "WHERE kind IS NULL OR NOT kind = ANY(%s) ORDER BY id",
        [list(KINDS)],
    )
    for row_id, kind, text in cursor.fetchall():
        try:
            event_documents.parse(kind or "", text or "")
        except EventMalformed as error:
            findings.add(
                Verdict.NONCANONICAL,
                f"the log event of kind {kind} says nothing: {error}",
                record=f"trail_logevent {row_id}",
            )


def _has_rows(cursor: CursorWrapper) -> bool:
    cursor.execute(
        "SELECT count(*) = 3 FROM pg_attribute WHERE attrelid = "
        "to_regclass('public.trail_logevent') AND attname IN ('id', 'kind', 'document') "
        "AND atttypid = ANY('{int8,varchar,text}'::regtype[])"
    )
    return bool(cursor.fetchone() == (True,))
