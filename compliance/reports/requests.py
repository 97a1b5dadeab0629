"""Ask for a report; a worker builds and seals it."""

from datetime import datetime

from compliance import numbering
from compliance.access import authority
from compliance.access.authority import Principal
from compliance.access.duties import Duty
from compliance.reports import kinds
from compliance.reports.actions import Action
from compliance.reports.models import Report
from compliance.trail import recording


def request(*, kind: str, subject: str, actor: Principal, at: datetime) -> Report:
    """Put a report on the list; raise `UnknownKind`, `SubjectMissing` or `NotPermitted`."""
    authority.demand(actor, Duty.BUILD_REPORT)
    if not kinds.by_name(kind).exists(subject):
        raise kinds.SubjectMissing(f"there is no record {subject!r} for a report of kind {kind}")
    with recording.recording(
        Action.REPORT_REQUESTED, actor=actor, at=at, reason=f"{kind} of {subject}"
    ):
        return Report.objects.create(
            number=numbering.next_number(Report, prefix="RPT", at=at),
            kind=kind,
            subject=subject,
            requested_by=actor.trail_identity().name,
            requested_at=at,
        )
