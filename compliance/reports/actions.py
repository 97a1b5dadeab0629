"""Name the acts of reports."""

from enum import StrEnum


class Action(StrEnum):
    REPORT_REQUESTED = "reports.report-requested"
    REPORT_SEALED = "reports.report-sealed"
    REPORT_FAILED = "reports.report-failed"
