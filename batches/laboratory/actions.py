"""Name the acts of the laboratory."""

from enum import StrEnum


class Action(StrEnum):
    SAMPLE_TAKEN = "laboratory.sample-taken"
    RESULT_REPORTED = "laboratory.result-reported"
    RESULT_CORRECTED = "laboratory.result-corrected"
