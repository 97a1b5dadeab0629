"""Name the acts of the trail itself."""

from enum import StrEnum


class Action(StrEnum):
    CONTROL_BEGUN = "trail.control-begun"
    ACT_REFUSED = "trail.act-refused"
    LOG_EVENT = "trail.log-event"
    EVIDENCE_ISSUED = "trail.evidence-issued"
    REDACTED = "trail.redacted"
    ATTACHED = "trail.attached"
    DDL = "trail.ddl"  # written by audit.record_ddl
