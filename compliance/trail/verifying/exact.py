"""Verify leaves one by one, and name what is wrong with each."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import numpy as np

from compliance.trail import entry_form
from compliance.trail.entry_form import EntryMalformed
from compliance.trail.findings import Verdict
from compliance.trail.tlog import canonical, leaf
from compliance.trail.tlog.canonical import NotCanonical
from compliance.trail.tlog.leaf import Leaf
from compliance.trail.verifying import commitments, spill, times
from compliance.trail.verifying.source import SHOWN_COLUMNS, Row, Source
from compliance.trail.verifying.state import RangeState
from compliance.trail.verifying.work import Misplaced

_FLAGS = {"insert": spill.INSERT, "update": spill.UPDATE, "delete": spill.DELETE}
KEPT_MISPLACED = 1000


def check(source: Source, state: RangeState, start: int, end: int) -> None:
    """Verify leaves [start, end)."""
    for row in source.rows(state.job.log_id, start, end):
        if not isinstance(row, Row):
            index, _, why = row
            state.add(Verdict.TAMPERED, f"the database cannot read it: {why}", index=index)
            _jump(state, index + 1)
            continue
        if row.idx < state.next_index:
            _add(
                state,
                Verdict.TAMPERED,
                "its leaf, its entry or its place in search is stored more than once",
                row,
            )
            continue
        if row.idx > state.next_index:
            _gap(state, row.idx)
        _place(state, row)
        _check(state, row)
    if state.next_index < end:
        _gap(state, end)


def _gap(state: RangeState, end: int) -> None:
    state.add(Verdict.MISSING, f"the log goes on at leaf {end}", index=state.next_index)
    _jump(state, end)


def _jump(state: RangeState, index: int) -> None:
    state.result.is_whole = False
    state.chain = None
    state.next_index = index


def _place(state: RangeState, row: Row) -> None:
    """Follow the chain through a leaf."""
    state.begin(row.idx, row.entry_id, row.previous)
    state.result.leaves += 1
    state.next_index = row.idx + 1
    previous, leaf_hash = row.previous or b"", row.leaf_hash or b""
    if len(previous) != 32 or len(leaf_hash) != 32:
        _add(state, Verdict.TAMPERED, "its hashes are not there, or not 32 bytes long", row)
        _jump(state, row.idx + 1)
        return
    if state.chain is not None and previous != state.chain:
        message = "the chain is broken between this leaf and the one before it"
        _add(state, Verdict.TAMPERED, message, row)
    state.chain = leaf.chain_next(previous, leaf_hash)
    state.placed(leaf_hash)


def _check(state: RangeState, row: Row) -> None:
    state.result.projections += row.projected is not None
    if row.found is None:
        _add(state, Verdict.MISSING, "the leaf is there, its entry is not", row)
        _guess(state, row, digest=None)
        return
    state.result.archived += row.is_archived
    state.result.entries += not row.is_archived
    if row.body is None:
        what = "is null" if row.size is None else f"has {row.size} bytes, more than any entry"
        _add(state, Verdict.TAMPERED, f"the body of the entry {what}", row)
        _guess(state, row, digest=None)
        return
    computed = leaf.entry_digest(row.body)
    if computed != row.digest:
        _add(state, Verdict.TAMPERED, "the stored digest is not that of the stored body", row)
    if _leaf(state, row, computed) != row.leaf_hash:
        was_sealed = row.digest is not None and _leaf(state, row, row.digest) == row.leaf_hash
        if not was_sealed:
            _misplace(state, row, computed)
        _guess(state, row, digest=row.digest if was_sealed else None)
        return
    members = read(state, row.body, index=row.idx, entry_id=row.entry_id)
    if members is None:
        _guess(state, row, digest=computed)
        return
    _check_projection(state, row, members)
    _check_time(state, row, members)
    commitments.collect(state, row.idx, row.entry_id or 0, members)
    keep(state, members, computed, order=row.idx)


def _misplace(state: RangeState, row: Row, computed: bytes) -> None:
    if len(state.result.misplaced) >= KEPT_MISPLACED:
        _add(state, Verdict.TAMPERED, "the entry is not the one that was sealed here", row)
        return
    state.result.misplaced.append(
        Misplaced(
            row.idx, row.entry_id or 0, row.previous or b"", row.leaf_hash or b"", computed,
            _record(row),
        )
    )  # fmt: skip


def leaf_of(origin: str, index: int, digest: bytes, previous: bytes) -> bytes:
    """Return the hash of a leaf, of nothing for what cannot be in one."""
    try:
        return Leaf(origin=origin, index=index, digest=digest, previous=previous).hash
    except leaf.LeafInvalid:
        return b""


def _leaf(state: RangeState, row: Row, digest: bytes) -> bytes:
    return leaf_of(state.job.origin, row.idx, digest, row.previous or b"")


def read(
    state: RangeState, body: bytes, *, index: int | None, entry_id: int | None
) -> dict[str, Any] | None:
    """Return the members of an entry of this log, or name why it has none."""
    try:
        members = entry_form.parse(body)
    except (NotCanonical, EntryMalformed) as error:
        state.add(Verdict.NONCANONICAL, str(error), index=index, entry_id=entry_id)
        return None
    if members["log"] != state.job.origin:
        state.add(
            Verdict.TAMPERED,
            f"the entry belongs to the log {members['log']}",
            index=index,
            entry_id=entry_id,
        )
    return members


def _check_projection(state: RangeState, row: Row, members: Mapping[str, Any]) -> None:
    if row.projected is None:
        if row.idx < state.job.projected:
            _add(state, Verdict.PROJECTION_MISMATCH, "search does not find this entry", row)
        return
    wrong = [name for name, value in _shown(members).items() if getattr(row, name) != value]
    if row.projected_idx != row.idx:
        wrong.append("leaf")
    if wrong:
        _add(
            state,
            Verdict.PROJECTION_MISMATCH,
            f"search shows another {', '.join(wrong)} than the entry",
            row,
        )


def _shown(members: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the search columns of an entry must have."""
    flat = {**members, **members["act"], "act": members["act"]["id"]}
    return {name: flat[name] for name in ("at", *SHOWN_COLUMNS, "record_seq")}


def _check_time(state: RangeState, row: Row, members: Mapping[str, Any]) -> None:
    at = times.parse(members["at"])
    if at is None:
        _add(state, Verdict.NONCANONICAL, f"{members['at']!r} is no time", row)
        return
    moment = times.since_epoch(at)
    if state.latest is not None and moment < state.latest - times.LONGEST:
        _add(state, Verdict.TIME_OUT_OF_BRACKET, long_before(members["at"]), row)
    (limit,) = times.signed_at(row.idx, 1, state.job.signed).tolist()
    if moment > limit + times.TOLERANCE:
        _add(
            state,
            Verdict.TIME_OUT_OF_BRACKET,
            f"its time {members['at']} is after the checkpoint that covers it",
            row,
        )
    state.passed(moment)


def long_before(at: str) -> str:
    return f"its time {at} is long before entries sealed earlier"


def keep(state: RangeState, members: Mapping[str, Any], digest: bytes, *, order: int) -> None:
    """Keep the record of an entry that was read."""
    one, flags = step(members, digest, state.redactable)
    record = members["record"], members["record_id"]
    _put(state, one, record, seq=members["record_seq"], order=order, flags=flags)


def step(
    members: Mapping[str, Any], digest: bytes, redactable: Mapping[str, tuple[str, ...]]
) -> tuple[spill.Records, int]:
    """Return what is kept of an entry about its record, and its flags."""
    one = np.zeros(1, spill.RECORD)
    flags = _FLAGS[members["op"]]
    if members["prev"] is None:
        flags |= spill.NO_PREV
    else:
        one["prev"] = spill.halves(bytes.fromhex(members["prev"]), 32)
    if members["op"] == "insert":
        left_out = redactable.get(members["record"], ())
        one["after"] = spill.halves(row_digest(members["new"], left_out), 32)
    elif members["after"] is not None:
        one["after"] = spill.halves(bytes.fromhex(members["after"]), 32)
    else:
        flags |= spill.NO_AFTER
    one["digest"] = spill.halves(digest, 32)
    return one, flags


def row_digest(new: Mapping[str, Any], left_out: tuple[str, ...]) -> bytes:
    """Return the digest of the row that an insertion made, as JSON without redactable columns."""
    return sha256(
        canonical.dumps({name: value for name, value in new.items() if name not in left_out})
    ).digest()


def _guess(state: RangeState, row: Row, *, digest: bytes | None) -> None:
    """Keep the record's place by its search columns, so that one bad entry is one fault."""
    if row.record is None or row.record_id is None or row.record_seq is None:
        return
    one, flags = guessed(row.op, digest)
    record = row.record, row.record_id
    _put(state, one, record, seq=row.record_seq, order=row.idx, flags=flags)


def guessed(op: str | None, digest: bytes | None) -> tuple[spill.Records, int]:
    """Return what is kept of an entry that cannot be read, and its flags."""
    one = np.zeros(1, spill.RECORD)
    flags = spill.GUESSED | spill.NO_AFTER | _FLAGS.get(op or "", spill.UPDATE)
    if digest is None or len(digest) != 32:
        flags |= spill.NO_DIGEST
    else:
        one["digest"] = spill.halves(digest, 32)
    return one, flags


def _put(
    state: RangeState,
    one: spill.Records,
    record: tuple[str, str],
    *,
    seq: int,
    order: int,
    flags: int,
) -> None:
    one["key"] = spill.halves(spill.key(state.secret, *record), 64)
    one["order"], one["seq"], one["flags"] = order, seq, flags
    one["table"], one["log"] = state.number(record[0]), state.job.log_id
    state.spilled.append(one)
    if state.job.is_since:
        state.result.touched.add(record)


def check_nodes(source: Source, state: RangeState, level: int, computed: bytes) -> None:
    """Compare the stored subtree roots of one level with the computed ones."""
    first = state.job.start >> level
    rows = source.fetch(
        "SELECT pos, h FROM audit.node WHERE log_id = %s AND level = %s AND pos >= %s "
        "AND pos < %s ORDER BY pos",
        [state.job.log_id, level, first, first + len(computed) // 32],
    )
    state.result.nodes += len(rows)
    expected = {first + at // 32: computed[at : at + 32] for at in range(0, len(computed), 32)}
    for position in sorted({place for place, _ in expected.items() ^ {(p, h) for p, h in rows}}):
        state.add(Verdict.TAMPERED, wrong_node(level, position), index=position << level)


def wrong_node(level: int, position: int) -> str:
    return (
        f"the stored subtree root at level {level}, position {position} is missing or "
        "not the one of its leaves"
    )


def _record(row: Row) -> str | None:
    return None if row.record is None else f"{row.record} {row.record_id}"


def _add(state: RangeState, verdict: Verdict, message: str, row: Row) -> None:
    state.add(verdict, message, index=row.idx, entry_id=row.entry_id, record=_record(row))
