"""Register the inspection checks on batches as they were executed."""

from batches.execution.inspection import (  # noqa: F401 -- importing registers
    alarms,
    burst_entries,
    copied_values,
    dated_order,
    deviation_claims,
    equipment_fitness,
    excursions_without_deviation,
    identification,
    implausible_size,
    issued_copy,
    late_entries,
    record_completeness,
    regular_times,
    scope,
    sequence_of_operations,
)
