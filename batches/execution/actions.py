"""Name the acts of execution."""

from enum import StrEnum


class Action(StrEnum):
    BATCH_ISSUED = "execution.batch-issued"
    COPY_CHECKED = "execution.copy-checked"
    EVENT_RECORDED = "execution.event-recorded"
    READINGS_STORED = "execution.readings-stored"
    DEVIATION_LINKED = "execution.deviation-linked"
    PHASE_VERIFIED = "execution.phase-verified"
    ENTRY_VERIFIED = "execution.entry-verified"
    RESULT_ENTERED = "execution.result-entered"
    CALCULATED = "execution.calculated"
    MATERIAL_CHARGED = "execution.material-charged"
    MATERIAL_ACCOUNTED = "execution.material-accounted"
    LOT_PRODUCED = "execution.lot-produced"
    EQUIPMENT_ASSIGNED = "execution.equipment-assigned"
    EQUIPMENT_RETURNED = "execution.equipment-returned"
    EXAMINED = "execution.examined"
    LABELS_ACCOUNTED = "execution.labels-accounted"
    REMARKED = "execution.remarked"
    FILE_ATTACHED = "execution.file-attached"
    EXCEPTION_LINKED = "execution.exception-linked"
    EXCEPTION_ASSESSED = "execution.exception-assessed"
