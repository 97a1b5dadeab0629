"""Say which role may do what, and which roles nobody may hold together."""

from enum import StrEnum


class Role(StrEnum):
    """The roles of a plant; stored values, so never renamed."""

    OPERATOR = "operator"
    SUPERVISOR = "supervisor"
    WAREHOUSE = "warehouse"
    MAINTENANCE = "maintenance"
    QC_ANALYST = "qc-analyst"
    QC_SUPERVISOR = "qc-supervisor"
    QUALITY_ASSURANCE = "quality-assurance"
    QUALIFIED_PERSON = "qualified-person"
    PROCESS_ENGINEER = "process-engineer"
    SYSTEM_ADMINISTRATOR = "system-administrator"
    AUDITOR = "auditor"


LABELS = {
    Role.OPERATOR: "Operator",
    Role.SUPERVISOR: "Supervisor",
    Role.WAREHOUSE: "Warehouse",
    Role.MAINTENANCE: "Maintenance and calibration",
    Role.QC_ANALYST: "QC analyst",
    Role.QC_SUPERVISOR: "QC supervisor",
    Role.QUALITY_ASSURANCE: "Quality assurance",
    Role.QUALIFIED_PERSON: "Qualified Person",
    Role.PROCESS_ENGINEER: "Process engineer",
    Role.SYSTEM_ADMINISTRATOR: "System administrator",
    Role.AUDITOR: "Auditor (read only)",
}


class Duty(StrEnum):
    """What a domain function asks for before it acts."""

    READ = "read"
    # execution
    RECORD_EXECUTION = "record-execution"
    VERIFY_EXECUTION = "verify-execution"
    START_BATCH = "start-batch"
    CHARGE_MATERIAL = "charge-material"
    CLEAN_EQUIPMENT = "clean-equipment"
    # assets
    MANAGE_EQUIPMENT = "manage-equipment"
    CALIBRATE = "calibrate"
    QUALIFY_EQUIPMENT = "qualify-equipment"
    RECEIVE_MATERIAL = "receive-material"
    RELEASE_MATERIAL = "release-material"
    # laboratory
    ENTER_RESULTS = "enter-results"
    REVIEW_RESULTS = "review-results"
    AUTHOR_SPECIFICATION = "author-specification"
    APPROVE_SPECIFICATION = "approve-specification"
    INVESTIGATE_OOS = "investigate-oos"
    APPROVE_OOS = "approve-oos"
    # recipes
    AUTHOR_RECIPE = "author-recipe"
    APPROVE_RECIPE = "approve-recipe"
    # quality
    OPEN_DEVIATION = "open-deviation"
    INVESTIGATE = "investigate"
    CLOSE_DEVIATION = "close-deviation"
    WORK_ON_CAPA = "work-on-capa"
    APPROVE_CAPA = "approve-capa"
    REQUEST_CHANGE = "request-change"
    APPROVE_CHANGE = "approve-change"
    ASSESS_RISK = "assess-risk"
    APPROVE_RISK = "approve-risk"
    REVIEW_TRAIL = "review-trail"
    ANSWER_ALERT = "answer-alert"
    # disposition
    DECIDE_DISPOSITION = "decide-disposition"
    CERTIFY_BATCH = "certify-batch"
    SHIP_BATCH = "ship-batch"
    PLACE_LEGAL_HOLD = "place-legal-hold"
    INSPECT = "inspect"
    BUILD_REPORT = "build-report"
    # twins
    ASK_TWINS = "ask-twins"
    AUTHOR_MODEL = "author-model"
    KEEP_TEST_SET = "keep-test-set"
    APPROVE_MODEL = "approve-model"
    # access
    ADMINISTER_ACCESS = "administer-access"
    PROVE_IDENTITY = "prove-identity"
    MANAGE_TRAINING = "manage-training"
    REVIEW_ACCESS = "review-access"
    ACKNOWLEDGE_ALARM = "acknowledge-alarm"
    ADMINISTER_SCHEDULE = "administer-schedule"
    REDACT = "redact"
    READ_PERSONAL_DATA = "read-personal-data"


_SHOP_FLOOR = {
    Duty.READ, Duty.RECORD_EXECUTION, Duty.VERIFY_EXECUTION, Duty.CHARGE_MATERIAL,
    Duty.CLEAN_EQUIPMENT, Duty.OPEN_DEVIATION,
}  # fmt: skip
_LABORATORY = {Duty.READ, Duty.ENTER_RESULTS, Duty.OPEN_DEVIATION, Duty.REQUEST_CHANGE}

DUTIES: dict[str, frozenset[Duty]] = {
    Role.OPERATOR: frozenset(_SHOP_FLOOR),
    Role.SUPERVISOR: frozenset(
        _SHOP_FLOOR
        | {Duty.START_BATCH, Duty.INVESTIGATE, Duty.ANSWER_ALERT, Duty.BUILD_REPORT}
        | {Duty.WORK_ON_CAPA, Duty.REQUEST_CHANGE, Duty.ASSESS_RISK, Duty.ASK_TWINS}
    ),
    Role.WAREHOUSE: frozenset(
        {Duty.READ, Duty.RECEIVE_MATERIAL, Duty.SHIP_BATCH, Duty.OPEN_DEVIATION}
    ),
    Role.MAINTENANCE: frozenset(
        {Duty.READ, Duty.MANAGE_EQUIPMENT, Duty.CALIBRATE, Duty.OPEN_DEVIATION}
    ),
    Role.QC_ANALYST: frozenset(_LABORATORY),
    Role.QC_SUPERVISOR: frozenset(
        _LABORATORY
        | {Duty.REVIEW_RESULTS, Duty.AUTHOR_SPECIFICATION, Duty.INVESTIGATE_OOS, Duty.INVESTIGATE}
        | {Duty.WORK_ON_CAPA, Duty.ASSESS_RISK, Duty.ACKNOWLEDGE_ALARM, Duty.KEEP_TEST_SET}
    ),
    Role.QUALITY_ASSURANCE: frozenset(
        {Duty.READ, Duty.OPEN_DEVIATION, Duty.INVESTIGATE, Duty.CLOSE_DEVIATION}
        | {Duty.ANSWER_ALERT, Duty.APPROVE_RECIPE, Duty.DECIDE_DISPOSITION, Duty.INSPECT}
        | {Duty.BUILD_REPORT, Duty.REDACT, Duty.READ_PERSONAL_DATA, Duty.QUALIFY_EQUIPMENT}
        | {Duty.RELEASE_MATERIAL, Duty.APPROVE_SPECIFICATION, Duty.APPROVE_OOS}
        | {Duty.WORK_ON_CAPA, Duty.APPROVE_CAPA, Duty.REQUEST_CHANGE, Duty.APPROVE_CHANGE}
        | {Duty.ASSESS_RISK, Duty.APPROVE_RISK, Duty.REVIEW_TRAIL, Duty.PLACE_LEGAL_HOLD}
        | {Duty.PROVE_IDENTITY, Duty.MANAGE_TRAINING, Duty.REVIEW_ACCESS}
        | {Duty.ACKNOWLEDGE_ALARM, Duty.APPROVE_MODEL, Duty.ASK_TWINS}
    ),
    # EU GMP Annex 16: only the QP certifies; that act comes with the certificate's register.
    Role.QUALIFIED_PERSON: frozenset(
        {Duty.READ, Duty.OPEN_DEVIATION, Duty.CLOSE_DEVIATION, Duty.DECIDE_DISPOSITION}
        | {Duty.INSPECT, Duty.BUILD_REPORT, Duty.REDACT, Duty.READ_PERSONAL_DATA}
        | {Duty.CERTIFY_BATCH, Duty.REVIEW_TRAIL, Duty.PLACE_LEGAL_HOLD}
    ),
    Role.PROCESS_ENGINEER: frozenset(
        {Duty.READ, Duty.AUTHOR_RECIPE, Duty.OPEN_DEVIATION, Duty.INVESTIGATE}
        | {Duty.ANSWER_ALERT, Duty.BUILD_REPORT, Duty.MANAGE_EQUIPMENT}
        | {Duty.AUTHOR_SPECIFICATION, Duty.WORK_ON_CAPA, Duty.REQUEST_CHANGE, Duty.ASSESS_RISK}
        | {Duty.AUTHOR_MODEL, Duty.ASK_TWINS}
    ),
    Role.SYSTEM_ADMINISTRATOR: frozenset(
        {Duty.READ, Duty.ADMINISTER_ACCESS, Duty.ADMINISTER_SCHEDULE, Duty.ACKNOWLEDGE_ALARM}
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
