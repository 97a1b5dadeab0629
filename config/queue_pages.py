"""Show people how the queues stand: what waits, since when, and which worker is at what."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone

from compliance.access import page_parts
from compliance.access.page_parts import Cell, Facts, Note, Section, Table
from config import queue_status, queues
from config.queue_status import QueueStatus
from config.queue_work import SHOWN

_SERVED_BY = {queue: worker for worker, names in queues.WORKERS.items() for queue in names}


def view(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """Answer the page."""
    standing = queue_status.read(at=timezone.now())
    sections = [section for one in standing for section in _sections(one)]
    return TemplateResponse(
        request, "admin/queues.html", {**context, "title": "Queues", "sections": sections}
    )


def _sections(one: QueueStatus) -> list[Section]:
    state = page_parts.badge("stuck", "bad") if one.is_stuck else page_parts.badge("flows", "good")
    facts = Facts(
        [
            ("State", state),
            ("Messages waiting", one.messages_said),
            ("Waits since", page_parts.moment(one.waits_since)),
            ("Stuck when it waits longer than", str(one.stuck_after)),
            ("Served by", f"“{_SERVED_BY[one.name]}”, which manage.py up starts"),
        ]
    )
    parts: list[Any] = [facts, _work(one)]
    if one.is_stuck:
        parts.insert(1, Note(_next(one), "bad"))
    if any(work.claims for work in one.work):
        parts.append(_claims(one))
    return [Section(f"Queue {one.name}", parts)]


def _next(one: QueueStatus) -> str:
    return (
        f"Nobody takes what is due here: see that “{_SERVED_BY[one.name]}”, beat and the broker "
        "run; nothing is lost, what is due is queued again."
    )


def _work(one: QueueStatus) -> Table:
    columns = ["Work", "Due", "Oldest due", "Claimed", "Leases run out", "No worker can"]
    rows: list[list[Cell]] = [
        [
            work.kind,
            str(work.due),
            page_parts.moment(work.oldest_due_at),
            str(work.claimed),
            page_parts.badge(str(work.ran_out), "warn") if work.ran_out else "0",
            page_parts.badge(str(work.refused), "warn") if work.refused else "0",
        ]
        for work in one.work
    ]
    return Table(columns, rows, numeric=[columns[1], *columns[3:]])


def _claims(one: QueueStatus) -> Table:
    rows: list[list[Cell]] = [
        [
            claim.what,
            claim.worker or "not on record",
            page_parts.moment(claim.renewed_at),
            page_parts.badge("ran out", "warn") if claim.has_run_out else "holds",
        ]
        for work in one.work
        for claim in work.claims
    ]
    caption = f"Claimed, the oldest {SHOWN} of a kind"
    return Table(["Claimed", "Worker", "Renewed", "Lease"], rows, caption=caption)
