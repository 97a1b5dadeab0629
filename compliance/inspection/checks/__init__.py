"""Register the checks on the trail, on access, signatures and quality records."""

from compliance.inspection.checks import (  # noqa: F401 -- importing registers
    administrator_duties,
    audit_chain,
    audit_tail,
    change_reasons,
    deviation_causes,
    deviations_late,
    deviations_overdue,
    failed_attempts,
    records_outside_trail,
    second_person,
    signature_links,
    signature_manifestations,
    system_clock,
)
