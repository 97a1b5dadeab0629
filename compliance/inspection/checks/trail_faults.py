"""Sort what a verification of the trail found by the check that reports it."""

from collections.abc import Sequence

from compliance.inspection import wording
from compliance.trail.findings import Fault, Verdict
from compliance.trail.verification import Report

SHOWN = 25


def of_the_checkpoints(report: Report) -> list[Fault]:
    """Return what contradicts a signed checkpoint: a cut tail, another history, a lost copy."""
    return [fault for fault in report.faults if _is_of_checkpoint(fault)]


def of_the_records(report: Report) -> list[Fault]:
    """Return what the stored rows and the enforcement show: changes that have no entry."""
    return [fault for fault in report.faults if _is_of_record(fault)]


def of_the_chain(report: Report) -> list[Fault]:
    """Return everything else: entries, leaves and links that do not verify."""
    return [
        fault
        for fault in report.faults
        if not _is_of_checkpoint(fault) and not _is_of_record(fault)
    ]


def sentence(fault: Fault) -> str:
    """Return one fault as a sentence, with where it is and what kind it is."""
    message = fault.message[:1].upper() + fault.message[1:]
    return f"{fault.place[:1].upper()}{fault.place[1:]} ({fault.verdict}): {message}."


def more(faults: Sequence[Fault]) -> str:
    rest = len(faults) - SHOWN
    return f"{wording.count(rest, 'further fault')} of this kind {wording.was(rest)} found." * (
        rest > 0
    )


def _is_of_checkpoint(fault: Fault) -> bool:
    if fault.entry_id is not None or fault.record is not None:
        return False
    named = any(word in fault.message for word in ("checkpoint", "published"))
    return fault.verdict == Verdict.FORK or named


def _is_of_record(fault: Fault) -> bool:
    return fault.verdict == Verdict.DISABLED or (
        fault.record is not None and fault.entry_id is None
    )
