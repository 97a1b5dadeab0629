"""Say in which queue each task waits, so that bulk work never stands before a person."""

from datetime import timedelta

INTERACTIVE = "interactive"  # what a person waits for
SCHEDULED = "scheduled"  # what the schedule asks for, and what readings bring
BULK = "bulk"  # what may take hours
ALL = (INTERACTIVE, SCHEDULED, BULK)

# Every task that is not named here waits in the queue of the schedule.
ROUTES = {
    "compliance.reports.tasks.build_report": {"queue": INTERACTIVE},
    "compliance.inspection.tasks.run_inspection": {"queue": INTERACTIVE},
    "twins.advice.tasks.advise": {"queue": INTERACTIVE},
    "twins.explanations.tasks.explain": {"queue": INTERACTIVE},
    "twins.bulk.tasks.run_part": {"queue": BULK},
}
# What is due and not taken for longer than this is stuck: the readiness of the queues says so.
STUCK_AFTER = {
    INTERACTIVE: timedelta(minutes=5),
    SCHEDULED: timedelta(minutes=10),
    BULK: timedelta(minutes=10),  # without any worker at it: a long run may wait for itself
}
# Which worker of `manage.py up` serves which queues, the first ones first.
WORKERS = {"worker": (INTERACTIVE, SCHEDULED), "bulk": (BULK,)}
