"""A log with everything in it, made in memory from a seed: records, keys, witnesses, time stamps."""

import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from compliance.trail.bundles import Row
from compliance.trail.tlog import (
    canonical,
    commitment,
    key_history,
    keys,
    leaf,
    merkle,
    note,
    tiles,
)
from compliance.trail.tlog.checkpoint import Checkpoint
from compliance.trail.tlog.heads import Head, HeadTree
from compliance.trail.tlog.key_documents import Document, Event
from compliance.trail.tlog.keys import KeyPair
from compliance.trail.verifier import writing
from compliance.trail.verifier.contents import Opening, Record, TimeStamp
from tests import stamping

ORIGIN = "gmp.example/plant/1"
START = datetime(2026, 3, 1, 6, 0, tzinfo=UTC)
REDACTABLE = "people.email"
ADOPTED = "777"  # the batch whose first entries are in the log before


@dataclass
class Last:
    """The newest entry of a record, and how many there were."""

    digest: bytes
    seq: int
    op: str
    index: int
    count: int


def key_pair(name: str, algorithm: int, seed: object) -> KeyPair:
    """Return a key that is the same for the same seed."""
    return KeyPair(name, algorithm, sha256(f"{name} {algorithm} {seed}".encode()).digest())


class SyntheticLog:
    """Writes entries as the product does, and answers as a `bundles.Source`."""

    def __init__(
        self,
        *,
        seed: int = 1,
        origin: str = ORIGIN,
        has_second_key: bool = True,
        authority: stamping.Authority | None = None,
    ) -> None:
        self.seed = seed
        self.random = random.Random(seed)
        self.origin = origin
        self.now = START
        self.authority = authority or stamping.authority()
        self.rows: list[Row] = []
        self.notes: dict[int, bytes] = {}
        self.stamps: dict[int, TimeStamp] = {}
        self.seals: dict[int, list[Head]] = {}
        self.last: dict[Record, Last] = {}
        self._of_record: dict[Record, list[int]] = defaultdict(list)
        self._of_kind: dict[str, list[int]] = defaultdict(list)
        self._state: dict[Record, dict[str, Any]] = {}
        self._openings: dict[str, tuple[str, bytes, str]] = {}
        self._shown: list[Opening] = []
        self._chain = leaf.Chain(origin=origin)
        self._hashes: list[bytes] = []
        algorithms = [keys.ED25519, keys.ML_DSA_44][: 1 + has_second_key]
        pairs = [key_pair(origin, one, seed) for one in algorithms]
        self.signers = {one.verifier: one for one in pairs}
        self.first_keys = [one.verifier for one in pairs]
        self.documents: list[str] = []
        self.witnesses = [
            key_pair("witness-a.example", keys.COSIGNATURE_V1, seed),
            key_pair("witness-b.example", keys.COSIGNATURE_V1, seed),
        ]

    # --- Trust

    @property
    def policy(self) -> bytes:
        """The tlog-policy of whoever trusts this log and both witnesses."""
        lines = [f"log {one.vkey}" for one in self.first_keys]
        lines += [f"witness w{n} {one.verifier.vkey}" for n, one in enumerate(self.witnesses)]
        return "\n".join([*lines, "group both all w0 w1", "quorum both", ""]).encode()

    @property
    def history(self) -> key_history.KeyHistory:
        return key_history.KeyHistory.replay(
            self.origin, pinned=self.first_keys, documents=self.documents
        )

    # --- Entries

    def tick(self, seconds: float | None = None) -> datetime:
        self.now += timedelta(seconds=seconds or self.random.uniform(1, 40))
        return self.now

    def insert(self, record: str, record_id: str, **values: Any) -> int:
        return self._write(record, record_id, "insert", new=self._committed(record, values))

    def update(self, record: str, record_id: str, **values: Any) -> int:
        state = self._state[record, record_id]
        new = self._committed(record, values)
        return self._write(record, record_id, "update", new=new, old=_before(state, new))

    def delete(self, record: str, record_id: str) -> int:
        state = self._state[record, record_id]
        return self._write(record, record_id, "delete", old=_before(state, state))

    def adopt(self, record: str, record_id: str, *, seq: int, **values: Any) -> None:
        """Let a record go on here whose entries so far are in the log that this one continues."""
        digest = sha256(f"{record} {record_id} {seq}".encode()).digest()
        self.last[record, record_id] = Last(digest=digest, seq=seq, op="update", index=-1, count=0)
        self._state[record, record_id] = dict(values)

    def continue_log(self, origin: str = "gmp.example/plant/0") -> int:
        """Say that this log continues another one, of which a part was lost."""
        closed = {"closed_size": 12, "closed_root": "ab" * 32, "closed_chain": "cd" * 32}
        document = {"v": 1, "old_origin": origin, "old_checkpoint": "", **closed}
        return self.event("origin", document)

    def event(self, kind: str, document: Mapping[str, Any] | str) -> int:
        """Write what the log says about itself."""
        text = document if isinstance(document, str) else canonical.dumps(document).decode()
        number = sum(map(len, self._of_kind.values())) + 1
        at = writing.moment(self.now)
        values = {"document": text, "id": number, "kind": kind, "recorded_at": at}
        index = self._write("trail_logevent", str(number), "insert", new=values)
        self._of_kind[kind].append(index)
        return index

    def body(self, record: str, record_id: str, op: str, **parts: Any) -> dict[str, Any]:
        """Return the members of the next entry of a record."""
        last = self.last.get((record, record_id))
        is_first = last is None or last.op == "delete"
        at = self.tick()
        return {
            "act": {
                "acted_at": writing.moment(at - timedelta(seconds=1)),
                "action": f"{record}-{op}",
                "actor": self.random.choice(["m.curie", "l.meitner", "e.noether", "日本 太郎"]),
                "actor_id": "7",
                "id": f"act-{len(self.rows)}",
                "reason": self.random.choice(["", "as planned", "wrong entry: 12 → 21 <kg>"]),
                "role": "operator",
                "source": "api",
            },
            "after": sha256(str(self.random.random()).encode()).hexdigest()
            if op == "update"
            else None,
            "at": writing.moment(at),
            "log": self.origin,
            "new": dict(parts.get("new", {})),
            "old": dict(parts.get("old", {})),
            "op": op,
            "prev": None if is_first or last is None else last.digest.hex(),
            "record": record,
            "record_id": record_id,
            "record_seq": 1 if is_first or last is None else last.seq + 1,
            "v": 2,
        }

    def append(self, body: bytes) -> int:
        """Seal any bytes as an entry."""
        index = len(self.rows)
        digest = leaf.entry_digest(body)
        self.rows.append(Row(index=index, body=body, digest=digest, previous=self._chain.head))
        self._hashes.append(self._chain.append(digest))
        return index

    def _write(self, record: str, record_id: str, op: str, **parts: Any) -> int:
        members = self.body(record, record_id, op, **parts)
        index = self.append(canonical.dumps(members))
        before = self.last.get((record, record_id))
        self.last[record, record_id] = Last(
            digest=self.rows[index].digest,
            seq=members["record_seq"],
            op=op,
            index=index,
            count=before.count + 1 if before else 1,
        )
        self._of_record[record, record_id].append(index)
        state = self._state.setdefault((record, record_id), {})
        if op == "delete":
            state.clear()
        state.update(members["new"])
        self._show(index, members)
        return index

    def _committed(self, record: str, values: Mapping[str, Any]) -> dict[str, Any]:
        return {
            column: self._commitment(f"{record}.{column}", value)
            if f"{record}.{column}" == REDACTABLE
            else value
            for column, value in values.items()
        }

    def _commitment(self, path: str, value: str) -> dict[str, str]:
        salt = self.random.randbytes(commitment.SALT_SIZE)
        digest = commitment.commit(path, salt=salt, value=value).hex()
        self._openings[digest] = path, salt, value
        return {"c": digest}

    def _show(self, index: int, members: Mapping[str, Any]) -> None:
        for part in ("new", "old"):
            for value in members[part].values():
                if commitment.is_commitment(value):
                    path, salt, text = self._openings[value["c"]]
                    self._shown.append(Opening(index=index, path=path, salt=salt, value=text))

    def redact(self, index: int, path: str, *, is_logged: bool = True) -> None:
        """Erase the openings of a value, with or without saying so."""
        self._shown = [one for one in self._shown if (one.index, one.path) != (index, path)]
        if is_logged:
            document = {
                "v": 1,
                "index": index,
                "path": path,
                "legal_basis": "GDPR Art. 17(1)(a)",
                "persons": ["d.po", "q.head"],
            }
            self.event("redaction", document)

    # --- Signatures

    def checkpoint(self, *, witnesses: int = 2) -> int:
        """Sign the log as it is; return its size."""
        size = len(self.rows)
        text = Checkpoint(origin=self.origin, size=size, root=self.root(size)).text()
        signers = [self.signers[one.verifier] for one in self.history.in_force(size)]
        at = int(self.tick().timestamp())
        signed = note.sign(text, signers, at=at)
        cosigned = [note.signature_of(text, one, at=at) for one in self.witnesses[:witnesses]]
        self.notes[size] = note.add(signed, cosigned).encode()
        return size

    def stamp(self, *, after: float = 5) -> int:
        """Have the newest checkpoint time-stamped, and log the token."""
        size = max(self.notes)
        at = self.tick(after)
        response = self.authority.stamp(self.notes[size], at)
        self.stamps[size] = TimeStamp(response=response)
        return self.event(
            "timestamp",
            {
                "gen_time": writing.moment(at.replace(microsecond=0)),
                "note_sha256": sha256(self.notes[size]).hexdigest(),
                "size": size,
                "token_sha256": sha256(response).hexdigest(),
                "tsa": self.authority.name,
                "v": 1,
            },
        )

    def seal(
        self, *, buckets: int | None = None, lie: Callable[[list[Head]], list[Head]] = list
    ) -> int:
        """Commit to the last entry of every record, or to what a lie makes of them."""
        size = len(self.rows)
        self.seals[size] = lie(
            [self._head(record, one) for record, one in self.last.items() if one.count]
        )
        tree = HeadTree(self.seals[size], buckets=buckets)
        return self.event("seal", self._sealed(tree, size))

    def _head(self, record: Record, last: Last) -> Head:
        return Head(
            record=record[0],
            record_id=record[1],
            seq=last.seq,
            index=last.index,
            op=last.op,
            digest=last.digest,
            entries=last.count,
        )

    def _sealed(self, tree: HeadTree, size: int) -> dict[str, Any]:
        return {
            "buckets": tree.buckets,
            "chain": self._chain.head.hex(),
            "clock": {"offset_us": 12, "source": "chrony"},
            "keys": sum(index < size for index in self._of_kind["key"]),
            "records": tree.records,
            "root": tree.root.hex(),
            "tree_size": size,
            "v": 1,
            "xmin": "1234",
        }

    def rotate(self) -> int:
        """Have every key followed by a new one; the next checkpoint is signed by all."""
        start = len(self.rows) + len(self.history.in_force(len(self.rows)))
        for record in self.history.in_force(len(self.rows)):
            old = self.signers[record.verifier]
            new = key_pair(self.origin, record.verifier.algorithm, f"{self.seed}, rotated")
            self.signers[new.verifier] = new
            document = Document(
                event=Event.ROTATE,
                verifier=new.verifier,
                signed_by=old.verifier,
                from_size=start,
                to_size=start + 1,
            )
            self._announce(document, old)
        return self.checkpoint()

    def begin(self, pair: KeyPair) -> int:
        """Have a further key sign from the next checkpoint on."""
        signer = self.signers[self.history.in_force(len(self.rows))[0].verifier]
        self.signers[pair.verifier] = pair
        document = Document(
            event=Event.BEGIN,
            verifier=pair.verifier,
            signed_by=signer.verifier,
            from_size=len(self.rows) + 1,
        )
        self._announce(document, signer)
        return self.checkpoint()

    def compromise(self, number: int, at: datetime, *, to_size: int) -> None:
        """Say that a first key is not to be believed from a time on."""
        pair = self.signers[self.first_keys[number]]
        document = Document(
            event=Event.COMPROMISE,
            verifier=pair.verifier,
            signed_by=pair.verifier,
            to_size=to_size,
            compromised_at=at,
        )
        self._announce(document, pair)

    def _announce(self, document: Document, signer: KeyPair) -> None:
        text = document.signed(signer, origin=self.origin, at=int(self.now.timestamp()))
        self.documents.append(text)
        self.event("key", text)

    # --- What `bundles.gather` asks

    def root(self, size: int) -> bytes:
        tree = merkle.CompactRange()
        for one in self._hashes[:size]:
            tree.append(one)
        return tree.root()

    def newest(self) -> int:
        return max(self.notes)

    def note(self, size: int) -> bytes:
        return self.notes[size]

    def reader(self) -> merkle.Reader:
        return tiles.Leaves(self._hashes)

    def entries_of(self, record: Record) -> Iterable[Row]:
        return [self.rows[index] for index in self._of_record[record]]

    def entries_at(self, indices: Iterable[int]) -> Iterable[Row]:
        return [self.rows[index] for index in indices]

    def log_events(self, kind: str) -> Iterable[Row]:
        return [self.rows[index] for index in self._of_kind[kind]]

    def heads(self, *, tree_size: int, buckets: int) -> HeadTree:
        return HeadTree(self.seals[tree_size], buckets=buckets)

    def openings(self, indices: Iterable[int]) -> Iterator[Opening]:
        wanted = set(indices)
        return (one for one in self._shown if one.index in wanted)

    def timestamps(self) -> Mapping[int, TimeStamp]:
        return self.stamps


def _before(state: Mapping[str, Any], columns: Iterable[str]) -> dict[str, Any]:
    """Return values before a change; what is committed to is not committed to again."""
    values = {column: state.get(column) for column in columns}
    return {
        column: {"c": None} if commitment.is_commitment(value) else value
        for column, value in values.items()
    }


def busy(
    *,
    seed: int = 1,
    records: int = 6,
    rounds: int = 3,
    is_continued: bool = False,
    **options: Any,
) -> SyntheticLog:
    """Return a log in which everything happens: about `records * rounds * 6` entries."""
    log = SyntheticLog(seed=seed, **options)
    if is_continued:
        log.continue_log()
        log.adopt("batches", ADOPTED, seq=7, number="B-777", state="running", mass_kg="1.5")
        log.update("batches", ADOPTED, state="blocked")
        log.update("batches", ADOPTED, state="running")
    log.event("redactable", {"v": 1, "paths": [REDACTABLE]})
    for number in range(records):
        log.insert("batches", str(number), number=f"B-{number:03}", state="planned", mass_kg=None)
        log.insert("people", str(number), name=f"Person {number}", email=f"p{number}@example.org")
    for one in range(rounds):
        _happen(log, records)
        log.checkpoint()
        log.stamp()
        if one == 0:
            log.rotate()
    log.redact(log.last["people", "1"].index, REDACTABLE)
    log.seal()
    for number in range(0, records, 2):
        log.update("batches", str(number), state="released")
    log.checkpoint()
    log.stamp()
    log.checkpoint()
    return log


def _happen(log: SyntheticLog, records: int) -> None:
    for number in range(records):
        batch = str(number)
        log.update("batches", batch, state="running", mass_kg=f"{log.random.randint(1, 99)}.50")
        log.update("batches", batch, mass_kg=f"{log.random.randint(1, 99)}.250")
        if log.random.random() < 0.3:
            log.delete("batches", batch)
            log.insert("batches", batch, number=f"B-{number:03}", state="planned", mass_kg=None)
        log.update("people", batch, email=f"new{log.random.randint(1, 99)}@example.org")
