"""Register the inspection checks on laboratory records."""

from batches.laboratory.inspection import (  # noqa: F401 -- importing registers
    corrections,
    orphan_data,
    outside_limits,
    scope,
    second_review,
)
