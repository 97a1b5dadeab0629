"""Register the inspection checks on models and their alerts."""

from twins.predictions.inspection import (  # noqa: F401 -- importing registers
    answers,
    model_identity,
    scope,
)
