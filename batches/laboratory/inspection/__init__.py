"""Register the inspection checks on laboratory records."""

from batches.laboratory.inspection import (  # noqa: F401 -- importing registers
    corrections,
    outside_limits,
    scope,
    second_review,
)
