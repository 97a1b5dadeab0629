"""Register the inspection checks on releases."""

from batches.disposition.inspection import (  # noqa: F401 -- importing registers
    after_release,
    conforming_results,
    open_deviations,
    presigned,
    quality_unit,
)
