"""Write into the log what it says about itself."""

from collections.abc import Mapping
from datetime import datetime

from compliance.trail import recording
from compliance.trail.actions import Action
from compliance.trail.models import LogEvent
from compliance.trail.recording import Actor
from compliance.trail.tlog import canonical


def record(
    kind: str,
    document: Mapping[str, canonical.Value],
    *,
    actor: Actor,
    at: datetime,
    reason: str,
    action: Action = Action.LOG_EVENT,
) -> LogEvent:
    """Write an event with its entry; it is never changed."""
    with recording.recording(action, actor=actor, at=at, reason=reason):
        return LogEvent.objects.create(
            kind=kind, document=canonical.dumps(dict(document)).decode(), recorded_at=at
        )
