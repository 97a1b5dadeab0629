"""Show one entry to people: who, what, why, what changed, and what proves it."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from compliance.trail import evidence, openings, standing, timeline, timeline_pages
from compliance.trail.keyring.failure import KeyUnusable
from compliance.trail.models import Entry
from compliance.trail.stored import Damaged
from compliance.trail.timeline import Asked
from compliance.trail.tlog.tiles import HashMissing


def context(request: HttpRequest, entry: Entry) -> dict[str, Any]:
    """Return what the template of an entry needs."""
    try:
        proof, problem = evidence.of_entry(entry.entry_id), ""
    except (KeyUnusable, Damaged, HashMissing) as error:
        proof, problem = None, str(error)
    proven = proof.entries[0] if proof and proof.entries else None
    secured = standing.now()
    may_open = request.user.has_perm(openings.PERMISSION)
    (row,) = timeline_pages.rows([entry], secured, may_open=may_open, most=10_000)
    asked = Asked(record=entry.record, record_id=entry.record_id)
    older = timeline.page(asked, before=entry.entry_id, limit=1).entries
    newer = timeline.page(asked, after=entry.entry_id, limit=1).entries
    return {
        "title": f"Entry {entry.entry_id}",
        "subtitle": str(entry),
        "entry": entry,
        "row": row,
        "older": older[0] if older else None,
        "newer": newer[0] if newer else None,
        "act_url": f"{reverse('admin:trail_entry_changelist')}?act={entry.act}",
        "evidence_url": timeline_pages.evidence_url(kind="act", name=entry.act),
        "digest": "" if entry.digest is None else bytes(entry.digest).hex(),
        "tree_size": proof.tree_size if proof else 0,
        "proof": [one.hex() for one in proven.proof] if proven else [],
        "is_proven": proven is not None,
        "checkpoint": proof.checkpoint if proof else "",
        "problem": problem,
    }
