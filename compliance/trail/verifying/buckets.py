"""Follow the records of one bucket through all their entries, up to the rows that they are now."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from compliance.trail.verifying import spill
from compliance.trail.verifying.spill import Records

Flags = NDArray[np.bool_]


def sort(records: Records) -> Records:
    """Return the records with all of one record together, in order of the log, the row last."""
    order = np.lexsort(
        (records["order"], records["log"], records["key"][:, 1], records["key"][:, 0])
    )
    return records[order]


def starts(records: Records) -> NDArray[np.int64]:
    """Return where each record begins, and the end."""
    if not len(records):
        return np.zeros(1, np.int64)
    key = records["key"]
    changes = (key[1:] != key[:-1]).any(axis=1)
    return np.concatenate(([0], np.flatnonzero(changes) + 1, [len(records)]))


def faulty(records: Records, begins: NDArray[np.int64], *, is_partial: bool) -> Iterator[Records]:
    """Yield the records about which anything is wrong, each with all that is kept of it."""
    wrong = _wrong(records, begins, is_partial=is_partial)
    if not wrong.any():
        return
    groups = np.unique(np.searchsorted(begins, np.flatnonzero(wrong), side="right") - 1)
    for group in groups.tolist():
        yield records[begins[group] : begins[group + 1]]


def unfollowed(records: Records, begins: NDArray[np.int64]) -> set[int]:
    """Return the numbers of tables that nobody declares, which have records that go on."""
    last = records[begins[1:] - 1] if len(records) else records
    goes_on = (last["flags"] & spill.DELETE == 0) & (last["table"] >= spill.UNCONTROLLED)
    return set(np.unique(last["table"][goes_on]).tolist())


def entered(records: Records, begins: NDArray[np.int64], log_id: int, size: int) -> int:
    """Count the records that have an entry among the first leaves of a log."""
    is_before = (records["log"] == log_id) & (records["order"] < size)
    return int(np.logical_or.reduceat(is_before, begins[:-1]).sum())


def _wrong(records: Records, begins: NDArray[np.int64], *, is_partial: bool) -> Flags:
    """Mark what does not continue the one before it: an entry its entry, a row its last entry."""
    count = len(records)
    flags, seq = records["flags"], records["seq"]
    continues = np.ones(count, bool)
    continues[begins[:-1]] = False
    before = np.roll(np.arange(count), 1)
    before_flags, before_seq = flags[before], seq[before]
    is_first = ~continues | (before_flags & spill.DELETE != 0)
    is_row = flags & spill.LIVE != 0
    known = before_flags & spill.NO_DIGEST == 0
    differs = (records["prev"] != records["digest"][before]).any(axis=1)
    has_prev = flags & spill.NO_PREV == 0
    wrong = (
        (seq != np.where(is_first, 1, before_seq + 1))
        | (is_first != (flags & spill.INSERT != 0))
        | (is_first & has_prev)
        | (~is_first & known & (differs | ~has_prev))
        | (continues & (records["log"] != records["log"][before]))
    ) & (flags & spill.GUESSED == 0)
    other_head = (records["digest"] != records["digest"][before]).any(axis=1)
    other_row = (records["after"] != records["after"][before]).any(axis=1)
    wrong_row = (
        (is_first & (continues | (not is_partial)))
        | (~is_first & (seq != before_seq))
        | (~is_first & (before_flags & spill.LIVE != 0))
        | (~is_first & known & other_head)
        | (~is_first & (before_flags & spill.NO_AFTER == 0) & other_row)
    )
    wrong = np.asarray(np.where(is_row, wrong_row, wrong), bool)
    last = begins[1:] - 1
    is_gone = (flags[last] & (spill.DELETE | spill.LIVE) == 0) & (
        records["table"][last] < spill.UNCONTROLLED
    )
    wrong[last] |= is_gone
    return wrong
