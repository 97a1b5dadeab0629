"""Name the trained twins whose alarms can be explained, and the words for what is found."""

# What is usual of each sign (`penicillin_fed_batch.usual`) is known beside this detector only.
DETECTOR = "penicillin-batch@2"
TWINS = frozenset({DETECTOR})
# One for all, so that the same rows have the same explanation, in a file and beside a batch.
SEED = 0

VERDICTS = {
    "process": "the process, not a probe",
    "probe": "a probe, not the process",
    "normal": "neither: chance",
    "none": "nothing that this twin knows",
    "undecided": "undecided between process and probe",
}
