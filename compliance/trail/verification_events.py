"""Let the log itself tell that it was verified, and what was found."""

from datetime import datetime

from compliance.trail import log_events
from compliance.trail.models import LogEvent
from compliance.trail.recording import Actor
from compliance.trail.verification import Report

KIND = "verification"


def record(report: Report, *, actor: Actor, at: datetime) -> LogEvent:
    """Record the result of a verification of the whole trail."""
    return log_events.record(
        KIND,
        {
            "v": 1,
            "size": report.leaves,
            "root": report.root.hex(),
            "faults": sum(report.counts.values()),
            "first": None if report.first is None else str(report.first),
            "seconds": int(report.seconds),  # canonical JSON has no fractions
        },
        actor=actor,
        at=at,
        reason="result of a verification of the trail",
    )
