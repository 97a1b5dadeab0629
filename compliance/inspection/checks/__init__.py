"""Register the checks on the trail, on access, signatures and quality records."""

from compliance.inspection.checks import (  # noqa: F401 -- importing registers
    access_reviews,
    administrator_duties,
    alarms_waiting,
    audit_chain,
    audit_tail,
    capas_overdue,
    certification_letter,
    change_reasons,
    configuration_changes,
    deviation_causes,
    deviations_late,
    deviations_overdue,
    failed_attempts,
    records_outside_trail,
    reviews_overdue,
    second_person,
    signature_links,
    signature_manifestations,
    system_clock,
)
