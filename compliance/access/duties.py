"""Say which role may do what, and which roles nobody may hold together."""

from enum import StrEnum


class Role(StrEnum):
    """The roles of a plant; stored values, so never renamed."""

    OPERATOR = "operator"
    SUPERVISOR = "supervisor"
    QC_ANALYST = "qc-analyst"
    QUALITY_ASSURANCE = "quality-assurance"
    QUALIFIED_PERSON = "qualified-person"
    PROCESS_ENGINEER = "process-engineer"
    SYSTEM_ADMINISTRATOR = "system-administrator"
    AUDITOR = "auditor"


LABELS = {
    Role.OPERATOR: "Operator",
    Role.SUPERVISOR: "Supervisor",
    Role.QC_ANALYST: "QC analyst",
    Role.QUALITY_ASSURANCE: "Quality assurance",
    Role.QUALIFIED_PERSON: "Qualified Person",
    Role.PROCESS_ENGINEER: "Process engineer",
    Role.SYSTEM_ADMINISTRATOR: "System administrator",
    Role.AUDITOR: "Auditor (read only)",
}


class Duty(StrEnum):
    """What a domain function asks for before it acts."""

    READ = "read"
    RECORD_EXECUTION = "record-execution"
    START_BATCH = "start-batch"
    ENTER_RESULTS = "enter-results"
    AUTHOR_RECIPE = "author-recipe"
    APPROVE_RECIPE = "approve-recipe"
    OPEN_DEVIATION = "open-deviation"
    INVESTIGATE = "investigate"
    CLOSE_DEVIATION = "close-deviation"
    ANSWER_ALERT = "answer-alert"
    DECIDE_DISPOSITION = "decide-disposition"
    INSPECT = "inspect"
    BUILD_REPORT = "build-report"
    ADMINISTER_ACCESS = "administer-access"
    ADMINISTER_SCHEDULE = "administer-schedule"
    REDACT = "redact"
    READ_PERSONAL_DATA = "read-personal-data"


_SHOP_FLOOR = {Duty.READ, Duty.RECORD_EXECUTION, Duty.OPEN_DEVIATION}

DUTIES: dict[str, frozenset[Duty]] = {
    Role.OPERATOR: frozenset(_SHOP_FLOOR),
    Role.SUPERVISOR: frozenset(
        _SHOP_FLOOR | {Duty.START_BATCH, Duty.INVESTIGATE, Duty.ANSWER_ALERT, Duty.BUILD_REPORT}
    ),
    Role.QC_ANALYST: frozenset({Duty.READ, Duty.ENTER_RESULTS, Duty.OPEN_DEVIATION}),
    Role.QUALITY_ASSURANCE: frozenset(
        {Duty.READ, Duty.OPEN_DEVIATION, Duty.INVESTIGATE, Duty.CLOSE_DEVIATION}
        | {Duty.ANSWER_ALERT, Duty.APPROVE_RECIPE, Duty.DECIDE_DISPOSITION, Duty.INSPECT}
        | {Duty.BUILD_REPORT, Duty.REDACT, Duty.READ_PERSONAL_DATA}
    ),
    # EU GMP Annex 16: only the QP certifies; that act comes with the certificate's register.
    Role.QUALIFIED_PERSON: frozenset(
        {Duty.READ, Duty.OPEN_DEVIATION, Duty.CLOSE_DEVIATION, Duty.DECIDE_DISPOSITION}
        | {Duty.INSPECT, Duty.BUILD_REPORT, Duty.REDACT, Duty.READ_PERSONAL_DATA}
    ),
    Role.PROCESS_ENGINEER: frozenset(
        {Duty.READ, Duty.AUTHOR_RECIPE, Duty.OPEN_DEVIATION, Duty.INVESTIGATE}
        | {Duty.ANSWER_ALERT, Duty.BUILD_REPORT}
    ),
    Role.SYSTEM_ADMINISTRATOR: frozenset(
        {Duty.READ, Duty.ADMINISTER_ACCESS, Duty.ADMINISTER_SCHEDULE}
    ),
    Role.AUDITOR: frozenset({Duty.READ, Duty.BUILD_REPORT}),
    "device": frozenset({Duty.RECORD_EXECUTION, Duty.ENTER_RESULTS, Duty.START_BATCH}),
    "system": frozenset({Duty.RECORD_EXECUTION}),
}

# Annex 11 draft 2025, 11; MHRA 2018, 6.16: nobody who administers the system does GMP work.
ADMINISTRATIVE = frozenset({Role.SYSTEM_ADMINISTRATOR})
READ_ONLY = frozenset({Role.AUDITOR})
GMP = frozenset(Role) - ADMINISTRATIVE - READ_ONLY


def conflict(roles: frozenset[str]) -> str | None:
    """Say why these roles exclude each other, or None."""
    if roles & ADMINISTRATIVE and roles & (GMP | READ_ONLY):
        return "a system administrator holds no other role"
    if roles & READ_ONLY and roles & GMP:
        return "an auditor reads only, and holds no GMP role"
    return None
