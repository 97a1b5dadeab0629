"""Say figures of a qualification the way people read them: names, units, digits."""

from typing import Any

METRICS = {
    "sensitivity": "Sensitivity",
    "specificity": "Specificity",
    "accuracy": "Accuracy",
    "precision": "Precision",
    "f1": "F1",
    "false_alarm_share": "Normal batches with a false alarm",
    "early_alarm_share": "Events with an alarm before the onset",
    "undecided_share": "Undecided batches",
    "lead_time_h": "Lead time, median (h)",
    "ece": "Expected calibration error",
    "interval_coverage": "Coverage of intervals",
    "skill": "Skill (Peirce)",
    "probability_skill": "Skill of the probability (Brier)",
}


def metric(name: str) -> str:
    """Return the name of a metric, with its unit when it has one."""
    return METRICS.get(name, name.replace("_", " "))


def figure(value: str | None) -> str:
    """Return a stored figure; shares with three decimals, nothing when it could not be taken."""
    if value is None:
        return ""
    number = float(value)
    return f"{number:.3f}" if abs(number) <= 1.0 else f"{number:.4g}"


def percent(share: str) -> str:
    """Return a share as a percentage."""
    return f"{float(share) * 100.0:g} %"


def interval(found: dict[str, str] | None) -> str:
    """Return both ends of a stored interval."""
    return "" if found is None else f"{figure(found['low'])} to {figure(found['high'])}"


def confusion(counted: dict[str, Any]) -> str:
    """Return the confusion matrix in words."""
    return (
        f"{counted['hits']} hits, {counted['misses']} misses "
        f"({counted['early_alarms']} of them behind an alarm before the onset), "
        f"{counted['false_alarms']} false alarms, {counted['silences']} silences"
    )


def chance(value: str) -> str:
    """Return a probability that may be very small."""
    return f"{float(value):.2g}"
