"""Make good bundles and damaged ones from a seed, for two verifiers to agree on.

    python -m tests.damage OUT [--seed 1] [--good 1000] [--damaged 1000]

writes OUT/<number>/{bundle.zip,trust-*,held-*,case.json}; `case.json` has what the damage is and what
the verifier in Python answers.
"""

import argparse
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding

from compliance.trail import bundles
from compliance.trail.tlog import canonical, leaf, note, octets
from compliance.trail.tlog.checkpoint import Checkpoint
from compliance.trail.tlog.heads import Head
from compliance.trail.verifier import container, manifests, verification, writing
from compliance.trail.verifier.contents import Completeness, Contents, Entry, Kind, Signed, Subject
from compliance.trail.verifier.findings import Malformed, Unusable, Verdict
from compliance.trail.verifier.outcome import Result
from compliance.trail.verifier.trust import Trust
from tests import stamping, synthetic_log
from tests.synthetic_log import SyntheticLog

Named = tuple[str, bytes]


@dataclass(frozen=True, kw_only=True)
class Case:
    """A bundle, what its inspector has, and what is wrong with it.

    `expected` is a verdict that must be among the problems; None for good bundles.
    `is_about_text` says that only a verifier which renders report and README can see it.
    """

    bundle: bytes
    trust: tuple[Named, ...]
    description: str
    expected: Verdict | None = None
    held: tuple[Named, ...] = ()
    is_about_text: bool = False

    def verify(self) -> Result:
        """Return what the verifier in Python says."""
        try:
            trust = Trust.read(self.trust)
            files = container.read(self.bundle)
        except (Malformed, Unusable) as error:
            return Result(problems=[error.problem])
        return verification.verify(files, trust=trust, held=self.held)


@dataclass
class Scene:
    """A log, one bundle of it, and the dice."""

    random: random.Random
    log: SyntheticLog
    contents: Contents
    trust: tuple[Named, ...] = field(default=())

    def __post_init__(self) -> None:
        self.trust = trust_of(self.log)

    def entry(self, *, of_records: bool = True) -> Entry:
        """Return one entry, of the claimed records only if wanted."""
        claimed = set(self.contents.subject.records)
        found = [one for one in self.contents.entries if not of_records or _record(one) in claimed]
        return self.random.choice(found)

    def case(self, contents: Contents, description: str, expected: Verdict, **more: Any) -> Case:
        return Case(
            bundle=writing.bundle(contents),
            trust=self.trust,
            description=description,
            expected=expected,
            **more,
        )


Damage = Callable[[Scene], Case]
DAMAGES: dict[str, Damage] = {}


def damage(function: Damage) -> Damage:
    DAMAGES[function.__name__.removeprefix("_")] = function
    return function


def trust_of(log: SyntheticLog) -> tuple[Named, ...]:
    return ("policy.txt", log.policy), ("tsa-root.pem", log.authority.root_pem)


def subject(dice: random.Random, log: SyntheticLog, kind: Kind | None = None) -> Subject:
    """Return something that a bundle can be about."""
    kind = kind or dice.choice(list(Kind))
    title = dice.choice(["Batch B-001 <Süßholz & Co.>", "Audit of March", "e.noether", "記録 7"])
    batch = dice.choice([one for one in log.last if one[0] == "batches"])
    person = "people", batch[1]
    if kind is Kind.RECORD:
        return Subject(kind=kind, title=title, records=(batch,))
    if kind is Kind.BATCH:
        absent = "batches", "9999"
        return Subject(kind=kind, title=title, records=tuple(sorted([batch, person, absent])))
    if kind is Kind.PERIOD:
        first = dice.randrange(log.newest() // 2)
        return Subject(kind=kind, title=title, range=(first, dice.randrange(first, log.newest())))
    return Subject(kind=kind, title=title, description="as asked for\non paper")


def gather(dice: random.Random, log: SyntheticLog, about: Subject) -> Contents:
    indices: list[int] = []
    if about.kind in {Kind.ACT, Kind.PERSON}:
        indices = dice.sample(range(log.newest()), k=min(5, log.newest()))
    return bundles.gather(
        log,
        about,
        created_at=log.now + timedelta(minutes=1),
        indices=indices,
        sizes=dice.sample(sorted(log.notes), k=2),
        policy=dice.choice([None, log.policy]),
        authorities=dice.choice([None, log.authority.middle_pem]),
    )


def scene(seed: int, *, kind: Kind | None = None, is_continued: bool = False) -> Scene:
    """Return a fresh scene of a seed."""
    dice = random.Random(seed)
    log = synthetic_log.busy(
        seed=seed, records=dice.randint(2, 5), rounds=dice.randint(2, 3),
        has_second_key=dice.random() < 0.5, is_continued=is_continued,
    )  # fmt: skip
    return Scene(dice, log, gather(dice, log, subject(dice, log, kind)))


def good(seed: int) -> Case:
    """Return a bundle in which nothing is wrong."""
    made = scene(seed, is_continued=seed % 4 == 0)
    held_size = made.random.choice(sorted(made.contents.checkpoints))
    return Case(
        bundle=writing.bundle(made.contents),
        trust=_as_key_file(made) if seed % 8 == 1 else made.trust,
        description=f"good: {made.contents.subject.kind}",
        held=((f"held-{held_size}.note", made.log.notes[held_size]),),
    )


def damaged(seed: int) -> Case:
    """Return a damaged bundle; the kinds of damage take turns."""
    names = sorted(DAMAGES)
    return DAMAGES[names[seed % len(names)]](scene(seed, kind=Kind.BATCH))


def _as_key_file(made: Scene) -> tuple[Named, ...]:
    """Return the same trust as keys in a file as people write them, without witnesses."""
    lines = ["# the plant", *(f"  {one.vkey} \r" for one in made.log.first_keys), "\t# its end"]
    return ("keys.txt", "\n".join(lines).encode()), *made.trust[1:]


# --- Bytes


def _bytes(made: Scene, change: Callable[[bytearray, int], None], what: str) -> Case:
    data = bytearray(writing.bundle(made.contents))
    at = made.random.randrange(len(data))
    change(data, at)
    return Case(
        bundle=bytes(data),
        trust=made.trust,
        description=f"{what} at byte {at}",
        expected=Verdict.MALFORMED,
    )


@damage
def _bit_flipped(made: Scene) -> Case:
    bit = 1 << made.random.randrange(8)
    return _bytes(made, lambda data, at: data.__setitem__(at, data[at] ^ bit), "bit flipped")


@damage
def _byte_inserted(made: Scene) -> Case:
    return _bytes(made, lambda data, at: data.insert(at, 0x20), "byte inserted")


@damage
def _byte_removed(made: Scene) -> Case:
    return _bytes(made, lambda data, at: data.__delitem__(at), "byte removed")


@damage
def _cut_off(made: Scene) -> Case:
    return _bytes(made, lambda data, at: data.__delitem__(slice(at, None)), "cut off")


@damage
def _longer(made: Scene) -> Case:
    return _bytes(made, lambda data, at: data.extend(b"\0" * (at + 1)), "zeros behind")


# --- Meaning, with manifest and container made again


def replaced(contents: Contents, entry: Entry, **values: Any) -> Contents:
    return replace(
        contents,
        entries=tuple(
            replace(one, **values) if one.index == entry.index else one for one in contents.entries
        ),
    )


def without(contents: Contents, *indices: int) -> Contents:
    kept = tuple(one for one in contents.entries if one.index not in indices)
    openings = tuple(one for one in contents.openings if one.index not in indices)
    return replace(contents, entries=kept, openings=openings)


@damage
def _entry_left_out(made: Scene) -> Case:
    # Not one from after the seal: of the last entries nothing says that they are the last.
    gone = made.entry()
    while gone.index >= _sealed(made)["tree_size"]:
        gone = made.entry()
    return made.case(
        without(made.contents, gone.index), f"entry {gone.index} left out", Verdict.MISSING
    )


@damage
def _last_entry_left_out(made: Scene) -> Case:
    record = next(one for one in made.contents.subject.records if one in made.log.last)
    seal = made.contents.completeness.seal or 0
    gone = max(one.index for one in made.contents.entries
               if _record(one) == record and one.index < seal)  # fmt: skip
    later = [
        one.index for one in made.contents.entries if _record(one) == record and one.index > gone
    ]
    return made.case(
        without(made.contents, gone, *later), f"last entry {gone} left out", Verdict.MISSING
    )


@damage
def _claims_taken_back(made: Scene) -> Case:
    record = next(one for one in made.contents.subject.records if one in made.log.last)
    gone = max(one.index for one in made.contents.entries if _record(one) == record)
    about = replace(
        made.contents.subject, kind=made.random.choice([Kind.RECORD, Kind.BATCH]), records=()
    )
    contents = replace(without(made.contents, gone), subject=about, completeness=Completeness())
    return made.case(contents, f"nothing claimed, {gone} left out", Verdict.MALFORMED)


@damage
def _whole_record_left_out(made: Scene) -> Case:
    record = next(one for one in made.contents.subject.records if one in made.log.last)
    gone = [one.index for one in made.contents.entries if _record(one) == record]
    return made.case(
        without(made.contents, *gone), f"all entries of {record} left out", Verdict.MISSING
    )


@damage
def _neighbours_swapped(made: Scene) -> Case:
    pairs = list(zip(made.contents.entries, made.contents.entries[1:], strict=False))
    one, other = made.random.choice(pairs)
    swapped = replaced(made.contents, one, body=other.body, digest=other.digest)
    swapped = replaced(swapped, other, body=one.body, digest=one.digest)
    swapped = replace(swapped, openings=())
    return made.case(swapped, f"{one.index} and {other.index} swapped", Verdict.REORDERED)


@damage
def _body_changed(made: Scene) -> Case:
    entry = made.entry(of_records=False)
    body = entry.body.replace(b'"role":"operator"', b'"role":"auditor"')
    return made.case(
        replaced(made.contents, entry, body=body), f"body of {entry.index}", Verdict.TAMPERED
    )


@damage
def _body_and_digest_changed(made: Scene) -> Case:
    entry = made.entry(of_records=False)
    body = entry.body.replace(b'"role":"operator"', b'"role":"auditor"')
    changed = replaced(made.contents, entry, body=body, digest=leaf.entry_digest(body))
    return made.case(changed, f"body and digest of {entry.index}", Verdict.TAMPERED)


@damage
def _body_not_utf8(made: Scene) -> Case:
    entry = made.entry(of_records=False)
    body = entry.body.replace(b'"role":"operator"', b'"role":"\xff\xfe"')
    return made.case(
        replaced(made.contents, entry, body=body), f"bytes in {entry.index}", Verdict.TAMPERED
    )


@damage
def _proof_altered(made: Scene) -> Case:
    entry = made.entry(of_records=False)
    proof = list(entry.proof)
    at = made.random.randrange(len(proof))
    proof[at] = bytes([proof[at][0] ^ 1]) + proof[at][1:]
    return made.case(
        replaced(made.contents, entry, proof=tuple(proof)),
        f"proof of {entry.index}",
        Verdict.TAMPERED,
    )


@damage
def _proof_of_another_length(made: Scene) -> Case:
    entry = made.entry(of_records=False)
    proof = made.random.choice([entry.proof[:-1], entry.proof[1:], (*entry.proof, bytes(32))])
    return made.case(
        replaced(made.contents, entry, proof=proof), f"proof of {entry.index}", Verdict.TAMPERED
    )


@damage
def _chain_altered(made: Scene) -> Case:
    entry = made.entry(of_records=False)
    changed = replaced(made.contents, entry, previous=bytes(32))
    return made.case(changed, f"chain head before {entry.index}", Verdict.TAMPERED)


@damage
def _index_altered(made: Scene) -> Case:
    present = {one.index for one in made.contents.entries}
    entry = made.random.choice(
        [one for one in made.contents.entries
         if one.index + 1 not in present and one.index + 1 < made.contents.tree_size]
    )  # fmt: skip
    changed = replaced(made.contents, entry, index=entry.index + 1)
    return made.case(replace(changed, openings=()), f"index of {entry.index}", Verdict.TAMPERED)


@damage
def _consistency_altered(made: Scene) -> Case:
    size = made.random.choice([one for one, signed in made.contents.checkpoints.items()
                               if signed.consistency])  # fmt: skip
    signed = made.contents.checkpoints[size]
    proof = (bytes(32), *signed.consistency[1:])
    checkpoints = {**made.contents.checkpoints, size: replace(signed, consistency=proof)}
    return made.case(
        replace(made.contents, checkpoints=checkpoints),
        f"consistency from {size}",
        Verdict.TAMPERED,
    )


@damage
def _checkpoint_of_a_stranger(made: Scene) -> Case:
    size = made.contents.tree_size
    text = note.split(made.contents.checkpoints[size].note)[0]
    stranger = synthetic_log.key_pair(made.log.origin, 1, "stranger")
    changed = _with_note(made.contents, size, note.sign(text, [stranger]).encode())
    return made.case(changed, "newest checkpoint signed by a stranger", Verdict.UNANCHORED)


@damage
def _checkpoint_signature_altered(made: Scene) -> Case:
    size = made.random.choice(sorted(made.contents.checkpoints))
    text, signatures = note.split(made.contents.checkpoints[size].note)
    first = signatures[0]
    wrong = note.Signature(first.name, first.key_id, bytes(64) + first.signature[64:])
    lines = "".join(one.line for one in (wrong, *signatures[1:]))
    changed = _with_note(made.contents, size, f"{text}\n{lines}".encode())
    return made.case(changed, f"signature of checkpoint {size}", Verdict.TAMPERED)


@damage
def _checkpoint_root_replaced(made: Scene) -> Case:
    size = made.contents.tree_size
    text = Checkpoint(origin=made.contents.origin, size=size, root=bytes(32)).text()
    stranger = synthetic_log.key_pair(made.log.origin, 1, "stranger")
    changed = _with_note(made.contents, size, note.sign(text, [stranger]).encode())
    return made.case(changed, "newest checkpoint with another root", Verdict.TAMPERED)


@damage
def _cosignature_left_out(made: Scene) -> Case:
    size = made.contents.tree_size
    text, signatures = note.split(made.contents.checkpoints[size].note)
    lines = "".join(one.line for one in signatures[:-1])
    changed = _with_note(made.contents, size, f"{text}\n{lines}".encode())
    return made.case(changed, "a witness is missing", Verdict.UNANCHORED)


@damage
def _heads_left_out(made: Scene) -> Case:
    changed = replace(made.contents, completeness=Completeness())
    return made.case(changed, "no head proofs", Verdict.MISSING)


@damage
def _bucket_left_out(made: Scene) -> Case:
    whole = made.contents.completeness
    changed = replace(made.contents, completeness=replace(whole, buckets=whole.buckets[1:]))
    return made.case(changed, "a bucket of heads left out", Verdict.MISSING)


@damage
def _head_altered(made: Scene) -> Case:
    whole = made.contents.completeness
    number = next(n for n, one in enumerate(whole.buckets) if one.heads)
    bucket = whole.buckets[number]
    heads = (replace(bucket.heads[0], entries=bucket.heads[0].entries + 1), *bucket.heads[1:])
    return _with_bucket(made, number, replace(bucket, heads=heads), "a head says more entries")


@damage
def _head_left_out(made: Scene) -> Case:
    whole = made.contents.completeness
    number = next(n for n, one in enumerate(whole.buckets) if one.heads)
    bucket = whole.buckets[number]
    return _with_bucket(
        made, number, replace(bucket, heads=bucket.heads[1:]), "a head out of its bucket"
    )


@damage
def _opening_altered(made: Scene) -> Case:
    first, *rest = made.contents.openings
    changed = replace(made.contents, openings=(replace(first, value=first.value + "x"), *rest))
    return made.case(changed, f"opening of {first.index}", Verdict.TAMPERED)


@damage
def _opening_left_out(made: Scene) -> Case:
    changed = replace(made.contents, openings=made.contents.openings[1:])
    return made.case(changed, "an opening left out", Verdict.MISSING_OPENING)


@damage
def _token_of_another_authority(made: Scene) -> Case:
    size = made.random.choice(sorted(made.contents.timestamps))
    response = _impostor().stamp(made.contents.stamped_note(size), made.log.now)
    return made.case(
        _with_token(made.contents, size, response), f"token {size} of another", Verdict.TAMPERED
    )


@damage
def _token_over_something_else(made: Scene) -> Case:
    size = made.random.choice(sorted(made.contents.timestamps))
    response = made.log.authority.stamp(b"something else", made.log.now)
    return made.case(
        _with_token(made.contents, size, response), f"token {size} over else", Verdict.TAMPERED
    )


@damage
def _root_of_the_bundle(made: Scene) -> Case:
    size = made.random.choice(sorted(made.contents.timestamps))
    response = _impostor().stamp(made.contents.stamped_note(size), made.log.now)
    changed = _with_token(made.contents, size, response)
    changed = replace(changed, authorities=_impostor().root_pem)
    return made.case(changed, "the bundle brings its own root", Verdict.TAMPERED)


@damage
def _record_claimed_without_entries(made: Scene) -> Case:
    own = made.contents.subject.records
    other = next(one for one in made.log.last if one not in own and one[0] == "people")
    bucket = made.log.heads(**_sealed(made)).prove_record(*other)
    buckets = {one.number: one for one in (*made.contents.completeness.buckets, bucket)}
    changed = replace(
        made.contents,
        subject=replace(made.contents.subject, records=tuple(sorted({*own, other}))),
        completeness=replace(
            made.contents.completeness, buckets=tuple(buckets[one] for one in sorted(buckets))
        ),
    )
    return made.case(changed, f"{other} claimed, no entry of it", Verdict.MISSING)


@damage
def _range_claimed_without_entries(made: Scene) -> Case:
    period = Subject(kind=Kind.PERIOD, title="all", range=(0, made.contents.tree_size - 1))
    changed = replace(made.contents, subject=period, completeness=Completeness())
    return made.case(changed, "a period with gaps", Verdict.MISSING)


@damage
def _origin_of_another_log(made: Scene) -> Case:
    changed = replace(made.contents, origin="gmp.example/plant/2")
    return made.case(changed, "origin of another log", Verdict.MALFORMED)


@damage
def _checkpoints_exchanged(made: Scene) -> Case:
    one, other = sorted(made.contents.checkpoints)[:2]
    checkpoints = dict(made.contents.checkpoints)
    checkpoints[one], checkpoints[other] = checkpoints[other], checkpoints[one]
    changed = replace(made.contents, checkpoints=checkpoints)
    return made.case(changed, f"notes {one} and {other} exchanged", Verdict.MALFORMED)


@damage
def _file_changed_with_its_manifest(made: Scene) -> Case:
    files = writing.files(made.contents)
    name = made.random.choice(["completeness.json", "consistency.json", "openings.json"])
    files[name] = files[name] + b"\n"
    return _packed_again(made, files, f"white space in {name}")


@damage
def _lines_out_of_order(made: Scene) -> Case:
    files = writing.files(made.contents)
    lines = files["entries.jsonl"].splitlines(keepends=True)
    files["entries.jsonl"] = b"".join([lines[1], lines[0], *lines[2:]])
    return _packed_again(made, files, "lines of entries exchanged")


@damage
def _member_added(made: Scene) -> Case:
    files = writing.files(made.contents)
    first, rest = files["entries.jsonl"].split(b"\n", 1)
    more = json.loads(first) | {"zeal": True}
    files["entries.jsonl"] = canonical.dumps(more) + b"\n" + rest
    return _packed_again(made, files, "unknown member in an entry")


@damage
def _report_altered(made: Scene) -> Case:
    files = writing.files(made.contents)
    files["report.html"] = files["report.html"].replace(b"operator", b"auditor")
    return _packed_again(made, files, "doctored report", is_about_text=True)


@damage
def _readme_altered(made: Scene) -> Case:
    files = writing.files(made.contents)
    files["README.txt"] = files["README.txt"].replace(b"--trust", b"--trusts")
    return _packed_again(made, files, "doctored README", is_about_text=True)


@damage
def _authorities_that_are_none(made: Scene) -> Case:
    files = writing.files(made.contents)
    pem = made.log.authority.middle_pem
    broken = pem.replace(b"MII", b"MIJ", 1)
    files["tsa.pem"] = made.random.choice([b"", b"junk\n", pem[:-9], pem + pem[:99], broken])
    return _packed_again(made, files, "tsa.pem that is no PEM")


@damage
def _trust_cut_off(made: Scene) -> Case:
    pem = made.log.authority.root_pem
    cut = made.random.choice([pem + b"-----BEGIN CERTIFICATE-----\n", pem + pem[:-20]])
    return replace(
        made.case(made.contents, "a trusted root cut off", Verdict.UNUSABLE),
        trust=(made.trust[0], ("tsa-root.pem", cut)),
    )


@damage
def _policy_cut_off(made: Scene) -> Case:
    return replace(
        made.case(made.contents, "a policy without its last newline", Verdict.UNUSABLE),
        trust=(("policy.txt", made.log.policy.rstrip()), made.trust[1]),
    )


@damage
def _token_of_another_form(made: Scene) -> Case:
    size = made.random.choice(sorted(made.contents.timestamps))
    sin = made.random.choice(
        [
            *({"without": one} for one in ("content_type", "message_digest")),
            {"without": "signing_certificate_v2"},
            *({"algorithm": one} for one in ("sha384_ecdsa", "sha256_rsa", "rsassa_pkcs1v15")),
            {"shown": False},
        ]
    )
    response = made.log.authority.stamp(made.contents.stamped_note(size), made.log.now, **sin)
    return made.case(
        _with_token(made.contents, size, response), f"token {size}: {sin}", Verdict.TAMPERED
    )


@damage
def _signer_only_beside_its_token(made: Scene) -> Case:
    size = made.random.choice(sorted(made.contents.timestamps))
    tsa = made.log.authority
    response = tsa.stamp(made.contents.stamped_note(size), made.log.now, shown=False)
    pem = tsa.certificate.public_bytes(Encoding.PEM)
    changed = replace(_with_token(made.contents, size, response), authorities=pem)
    return made.case(changed, f"signer of token {size} in tsa.pem", Verdict.TAMPERED)


@damage
def _key_signed_twice(made: Scene) -> Case:
    size = made.contents.tree_size
    text, signatures = note.split(made.contents.checkpoints[size].note)
    again = made.random.choice(signatures)
    lines = "".join(one.line for one in (*signatures, again))
    changed = _with_note(made.contents, size, f"{text}\n{lines}".encode())
    return made.case(changed, f"{again.name} signed twice", Verdict.TAMPERED)


@damage
def _no_key_in_force(made: Scene) -> Case:
    """The keys of the log all ended; whatever else is on the note, nobody had to sign it."""
    log = made.log
    for record in log.history.in_force(len(log.rows)):
        pair = log.signers[record.verifier]
        log._announce(
            synthetic_log.Document(
                event=synthetic_log.Event.COMPROMISE,
                verifier=pair.verifier,
                signed_by=pair.verifier,
                to_size=len(log.rows) + 1,
                compromised_at=log.now,
            ),
            pair,
        )
    size = len(log.rows)
    text = Checkpoint(origin=log.origin, size=size, root=log.root(size)).text()
    witness = note.signature_of(text, log.witnesses[0], at=1)
    wrong = note.Signature(witness.name, witness.key_id, bytes(len(witness.signature)))
    out_of_range = note.signature_of(text, log.signers[log.first_keys[0]])
    beside = made.random.choice([witness, wrong, out_of_range])
    log.notes[size] = f"{text}\n{beside.line}".encode()
    contents = gather(made.random, log, made.contents.subject)
    return made.case(contents, "no key in force", Verdict.UNANCHORED)


@damage
def _key_document_left_out(made: Scene) -> Case:
    size = _sealed(made)["tree_size"]
    keys = [one for one in made.log._of_kind["key"] if one < size]
    gone = made.random.choice(keys)
    return made.case(without(made.contents, gone), f"key document {gone} left out", Verdict.MISSING)


@damage
def _continued_record_without_its_first_entry(made: Scene) -> Case:
    log = synthetic_log.busy(seed=made.log.seed, records=3, rounds=2, is_continued=True)
    record = ("batches", synthetic_log.ADOPTED)
    about = Subject(kind=Kind.RECORD, title="goes on", records=(record,))
    made = Scene(made.random, log, gather(made.random, log, about))
    gone = log._of_record[record][0]
    return made.case(without(made.contents, gone), f"{record} without {gone}", Verdict.MISSING)


@damage
def _continued_record_behind_the_seal(made: Scene) -> Case:
    log = synthetic_log.busy(seed=made.log.seed, records=3, rounds=2, is_continued=True)
    log.adopt("batches", "778", seq=3, state="running")
    log.update("batches", "778", state="released")
    log.checkpoint()
    about = Subject(kind=Kind.RECORD, title="goes on", records=(("batches", "778"),))
    made = Scene(made.random, log, gather(made.random, log, about))
    return made.case(made.contents, "its first entry here is after the seal", Verdict.MISSING)


@damage
def _continued_record_of_a_log_that_continues_none(made: Scene) -> Case:
    log = synthetic_log.SyntheticLog(seed=made.log.seed)
    log.insert("batches", "1", state="planned")
    log.continue_log()  # not its first entry: it says nothing
    log.adopt("batches", "777", seq=3, state="running")
    log.update("batches", "777", state="released")
    log.seal()
    log.checkpoint()
    log.stamp()
    log.checkpoint()
    about = Subject(kind=Kind.RECORD, title="goes on", records=(("batches", "777"),))
    contents = bundles.gather(log, about, created_at=log.now)
    return Scene(made.random, log, contents).case(
        contents, "a log that continues none", Verdict.MISSING
    )


# --- A log that lies, signed with the right keys


def _of_log(made: Scene, description: str, expected: Verdict, about: Subject | None = None) -> Case:
    """Finish a log that was added to, and bundle it."""
    made.log.seal()
    made.log.checkpoint()
    made.log.stamp()
    made.log.checkpoint()
    contents = gather(made.random, made.log, about or made.contents.subject)
    return made.case(contents, description, expected)


def _planted(made: Scene, change: Callable[[dict[str, Any]], None]) -> int:
    """Write an entry of the claimed batch that the product would not have written."""
    record = next(one for one in made.contents.subject.records if one in made.log.last)
    state = made.log._state[record]["state"]
    members = made.log.body(*record, "update", old={"state": state}, new={"state": "!"})
    change(members)
    try:
        body = canonical.dumps(members)
    except canonical.NotCanonical:
        body = json.dumps(members, sort_keys=True, separators=(",", ":")).encode()
    return made.log.append(body)


def _everything(made: Scene) -> Subject:
    return Subject(kind=Kind.PERIOD, title="everything", range=(0, len(made.log.rows)))


@damage
def _surrogate_planted(made: Scene) -> Case:
    index = _planted(made, lambda members: members["new"].update(state="\ud800"))
    return _of_log(made, f"surrogate in {index}", Verdict.NONCANONICAL, _everything(made))


@damage
def _new_value_only_named(made: Scene) -> Case:
    index = _planted(made, lambda members: members["new"].update(state={"c": None}))
    return _of_log(made, f"no commitment in {index}", Verdict.NONCANONICAL, _everything(made))


@damage
def _log_document_of_another_form(made: Scene) -> Case:
    change = made.random.choice(
        [
            {"op": "update", "new": {"kind": "x"}, "old": {"kind": "y"}},
            {**_FIRST, "new": {"document": "{}"}},
            {**_FIRST, "new": {"kind": "seal", "document": None}},
            {**_FIRST, "new": {"kind": "origin", "document": '{"v":1}'}},
        ]
    )
    log_event = {"record": "trail_logevent", "record_id": "planted"}
    index = _planted(made, lambda members: members.update(log_event | change))
    return _of_log(made, f"{change} in {index}", Verdict.NONCANONICAL, _everything(made))


_FIRST = {"op": "insert", "old": {}, "prev": None, "record_seq": 1, "after": None}


@damage
def _float_planted(made: Scene) -> Case:
    index = _planted(made, lambda members: members["new"].update(state=1.5))
    return _of_log(made, f"float in {index}", Verdict.NONCANONICAL, _everything(made))


@damage
def _member_planted(made: Scene) -> Case:
    value = made.random.choice([("v", True), ("v", 1), ("record_seq", 0), ("op", "merge"),
                                ("at", "2026-02-30T00:00:00.000000Z"), ("prev", None),
                                ("after", None), ("more", 1), ("record", "")])  # fmt: skip
    index = _planted(made, lambda members: members.update([value]))
    return _of_log(made, f"{value} in {index}", Verdict.NONCANONICAL, _everything(made))


@damage
def _entry_of_another_log(made: Scene) -> Case:
    index = _planted(made, lambda members: members.update(log="gmp.example/plant/2"))
    return _of_log(made, f"entry {index} of another log", Verdict.TAMPERED, _everything(made))


@damage
def _values_do_not_follow(made: Scene) -> Case:
    record = next(one for one in made.contents.subject.records if one in made.log.last)
    made.log._state[record]["state"] = "what it never was"
    made.log.update(*record, state="released")
    return _of_log(made, "old value that never was", Verdict.TAMPERED)


@damage
def _entry_does_not_follow(made: Scene) -> Case:
    record = next(one for one in made.contents.subject.records if one in made.log.last)
    made.log.last[record].digest = bytes(32)
    made.log.update(*record, state="released")
    return _of_log(made, "prev of another entry", Verdict.TAMPERED)


@damage
def _number_skipped(made: Scene) -> Case:
    record = next(one for one in made.contents.subject.records if one in made.log.last)
    made.log.last[record].seq += 1
    made.log.last[record].count += 1
    made.log.update(*record, state="released")
    return _of_log(made, "a number of the record skipped", Verdict.MISSING)


@damage
def _number_repeated(made: Scene) -> Case:
    record = next(one for one in made.contents.subject.records if one in made.log.last)
    made.log.update(*record, state="blocked")
    made.log.last[record].seq -= 1
    made.log.update(*record, state="released")
    return _of_log(made, "a number of the record twice", Verdict.REORDERED)


@damage
def _clock_set_back(made: Scene) -> Case:
    record = next(one for one in made.contents.subject.records if one in made.log.last)
    now = made.log.now
    made.log.now -= timedelta(days=1)
    made.log.update(*record, state="released")
    made.log.now = now
    return _of_log(made, "back-dated entry", Verdict.TIME_OUT_OF_BRACKET)


@damage
def _clock_set_forward(made: Scene) -> Case:
    record = next(one for one in made.contents.subject.records if one in made.log.last)
    now = made.log.now
    made.log.now += timedelta(days=1)
    made.log.update(*record, state="released")
    made.log.now = now
    return _of_log(made, "post-dated entry", Verdict.TIME_OUT_OF_BRACKET)


@damage
def _withheld_without_redaction(made: Scene) -> Case:
    person = next(one for one in made.contents.subject.records if one[0] == "people")
    index = made.log._of_record[person][0]
    made.log.redact(index, synthetic_log.REDACTABLE, is_logged=False)
    return _of_log(made, "opening destroyed, nothing said", Verdict.MISSING_OPENING)


@damage
def _result_redacted(made: Scene) -> Case:
    record = next(one for one in made.contents.subject.records
                  if one[0] == "batches" and one in made.log.last)  # fmt: skip
    hidden = made.log._commitment("batches.state", "rejected")
    index = made.log._write(
        *record, "update", new={"state": hidden}, old={"state": made.log._state[record]["state"]}
    )
    made.log.redact(index, "batches.state")
    return _of_log(made, "redaction of what cannot be redacted", Verdict.MISSING_OPENING)


@damage
def _redaction_by_one_person(made: Scene) -> Case:
    person = next(one for one in made.contents.subject.records if one[0] == "people")
    index = made.log._of_record[person][0]
    made.log.redact(index, synthetic_log.REDACTABLE, is_logged=False)
    document = {"v": 1, "index": index, "path": synthetic_log.REDACTABLE,
                "legal_basis": "none", "persons": ["d.po", "d.po"]}  # fmt: skip
    made.log.event("redaction", document)
    return _of_log(made, "redaction by one person", Verdict.MISSING_OPENING)


@damage
def _seal_of_another_chain(made: Scene) -> Case:
    size = len(made.log.rows)
    index = made.log.seal()
    document = json.loads(json.loads(made.log.rows[index].body)["new"]["document"])
    made.log.event("seal", document | {"chain": "0" * 64, "tree_size": size})
    made.log._of_kind["seal"].remove(index)
    made.log.checkpoint()
    about = Subject(kind=Kind.PERIOD, title="all", range=(0, made.log.newest() - 1))
    return made.case(
        gather(made.random, made.log, about), "seal of another chain", Verdict.TAMPERED
    )


@damage
def _seal_of_fewer_keys(made: Scene) -> Case:
    size = len(made.log.rows)
    index = made.log.seal()
    document = json.loads(json.loads(made.log.rows[index].body)["new"]["document"])
    made.log.event("seal", document | {"keys": document["keys"] - 1, "tree_size": size})
    made.log.checkpoint()
    about = Subject(kind=Kind.PERIOD, title="all", range=(0, made.log.newest() - 1))
    return made.case(gather(made.random, made.log, about), "fewer keys", Verdict.TAMPERED)


def _lying_seal(
    made: Scene, lie: Callable[[Head], Head | None], description: str, expected: Verdict
) -> Case:
    """Seal heads in which the claimed batch has another one, or none."""
    record = next(one for one in made.contents.subject.records if one in made.log.last)

    def changed(heads: list[Head]) -> list[Head]:
        told = [lie(one) if (one.record, one.record_id) == record else one for one in heads]
        return [one for one in told if one is not None]

    made.log.seal(lie=changed)
    made.log.checkpoint()
    return made.case(gather(made.random, made.log, made.contents.subject), description, expected)


@damage
def _seal_denies_a_record(made: Scene) -> Case:
    return _lying_seal(made, lambda _: None, "seal without a record", Verdict.TAMPERED)


@damage
def _seal_of_another_entry(made: Scene) -> Case:
    return _lying_seal(
        made, lambda one: replace(one, digest=bytes(32)), "seal of another", Verdict.TAMPERED
    )


@damage
def _seal_of_fewer_entries(made: Scene) -> Case:
    return _lying_seal(
        made,
        lambda one: replace(one, entries=one.entries - 1, seq=min(one.seq, one.entries - 1)),
        "seal of fewer entries",
        Verdict.TAMPERED,
    )


@damage
def _seal_of_the_future(made: Scene) -> Case:
    tree = made.log.heads(**_sealed(made))
    size = len(made.log.rows) + 5
    index = made.log.event("seal", made.log._sealed(tree, size))
    made.log._of_kind["seal"].remove(index)
    made.log.checkpoint()
    about = Subject(kind=Kind.PERIOD, title="all", range=(0, made.log.newest() - 1))
    return made.case(gather(made.random, made.log, about), "seal ahead", Verdict.TAMPERED)


@damage
def _retired_key(made: Scene) -> Case:
    log = made.log
    size = log.checkpoint()
    text = note.split(log.notes[size])[0]
    old = log.signers[log.first_keys[0]]
    log.notes[size] = note.add(log.notes[size].decode(), [note.signature_of(text, old)]).encode()
    contents = gather(made.random, log, made.contents.subject)
    return made.case(contents, "a retired key signs too", Verdict.TAMPERED)


@damage
def _compromised_key(made: Scene) -> Case:
    log = made.log
    before = log.stamps[min(log.stamps)]
    log.compromise(0, synthetic_log.START, to_size=min(log.stamps) + 1)
    log.checkpoint()
    contents = bundles.gather(
        log, made.contents.subject, created_at=log.now, sizes=sorted(log.notes)
    )
    assert before
    return made.case(contents, "a key compromised from the beginning", Verdict.TAMPERED)


@damage
def _key_of_nobody(made: Scene) -> Case:
    log = made.log
    stranger = synthetic_log.key_pair(log.origin, 1, "stranger")
    size = len(log.rows) + 1
    document = synthetic_log.Document(
        event=synthetic_log.Event.BEGIN,
        verifier=synthetic_log.key_pair(log.origin, 1, "other").verifier,
        signed_by=stranger.verifier,
        from_size=size,
    )
    log.event("key", document.signed(stranger, origin=log.origin, at=1))
    return _of_log(made, "a key that a stranger announces", Verdict.TAMPERED)


@damage
def _key_that_is_none_of_the_log(made: Scene) -> Case:
    log = made.log
    size = len(log.rows) + 1
    (first, *_) = log.history.in_force(size)
    other = made.random.choice(
        [
            synthetic_log.key_pair("gmp.example/plant/2", 1, "other"),
            synthetic_log.key_pair(log.origin, 4, "other"),
        ]
    )
    signer = log.signers[first.verifier]
    document = synthetic_log.Document(
        event=synthetic_log.Event.BEGIN,
        verifier=other.verifier,
        signed_by=signer.verifier,
        from_size=size,
    )
    log.event("key", document.signed(signer, origin=log.origin, at=1))
    return _of_log(made, f"key of {other.name}, type {other.algorithm}", Verdict.TAMPERED)


@damage
def _impostor_log(made: Scene) -> Case:
    other = synthetic_log.busy(seed=made.random.randrange(10**9, 10**10), records=3, rounds=2)
    contents = gather(made.random, other, subject(made.random, other, Kind.BATCH))
    return made.case(contents, "the same origin with other keys", Verdict.TAMPERED)


# --- What others hold


@damage
def _fork(made: Scene) -> Case:
    size = made.random.choice(sorted(made.contents.checkpoints))
    text = Checkpoint(origin=made.log.origin, size=size, root=b"\x07" * 32).text()
    signers = [made.log.signers[one.verifier] for one in made.log.history.in_force(size)]
    signed = note.sign(text, signers, at=int(made.log.now.timestamp())).encode()
    return made.case(
        made.contents, f"fork at {size}", Verdict.FORK, held=(("held-fork.note", signed),)
    )


@damage
def _held_is_newer(made: Scene) -> Case:
    made.log.insert("batches", "later", state="planned")
    size = made.log.checkpoint()
    held = ((f"held-{size}.note", made.log.notes[size]),)
    return made.case(made.contents, "held is newer", Verdict.NOT_COMPARABLE, held=held)


@damage
def _held_is_no_note(made: Scene) -> Case:
    held = (("held-x.note", b"no note\n"),)
    return made.case(made.contents, "held is no note", Verdict.UNUSABLE, held=held)


@damage
def _held_of_an_empty_log(made: Scene) -> Case:
    text = f"{made.log.origin}\n0\n{octets.to_base64(bytes(32))}\n"
    held = (("held-0.note", note.sign(text, [made.log.signers[made.log.first_keys[0]]]).encode()),)
    return made.case(made.contents, "held of size 0, another root", Verdict.UNUSABLE, held=held)


# --- Words of these


def _impostor() -> stamping.Authority:
    return _IMPOSTOR


_IMPOSTOR = stamping.Authority(name="Impostor")


def _record(entry: Entry) -> tuple[str, str] | None:
    try:
        members = json.loads(entry.body)
    except ValueError:
        return None
    return members["record"], members["record_id"]


def _sealed(made: Scene) -> dict[str, int]:
    body = made.log.rows[made.contents.completeness.seal or 0].body
    document = json.loads(json.loads(body)["new"]["document"])
    return {name: document[name] for name in ("tree_size", "buckets")}


def _with_note(contents: Contents, size: int, text: bytes) -> Contents:
    signed = Signed(note=text, consistency=contents.checkpoints[size].consistency)
    timestamps = {one: stamp for one, stamp in contents.timestamps.items() if one != size}
    return replace(
        contents, checkpoints={**contents.checkpoints, size: signed}, timestamps=timestamps
    )


def _with_token(contents: Contents, size: int, response: bytes) -> Contents:
    stamp = replace(contents.timestamps[size], response=response)
    return replace(contents, timestamps={**contents.timestamps, size: stamp})


def _with_bucket(made: Scene, number: int, bucket: Any, description: str) -> Case:
    buckets = list(made.contents.completeness.buckets)
    buckets[number] = bucket
    completeness = replace(made.contents.completeness, buckets=tuple(buckets))
    changed = replace(made.contents, completeness=completeness)
    return made.case(changed, description, Verdict.TAMPERED)


def _packed_again(made: Scene, files: dict[str, bytes], description: str, **more: Any) -> Case:
    named = {name: data for name, data in files.items() if name != manifests.NAME}
    named[manifests.NAME] = writing.manifest(made.contents, named)
    return Case(
        bundle=container.write(named),
        trust=made.trust,
        description=description,
        expected=Verdict.MALFORMED,
        **more,
    )


def cases(*, seed: int, good_ones: int, damaged_ones: int) -> Iterator[Case]:
    """Yield good cases, then damaged ones."""
    for number in range(good_ones):
        yield good(seed + number)
    for number in range(damaged_ones):
        yield damaged(seed + number)


def write(folder: Path, number: int, case: Case) -> None:
    """Write one case with what the verifier in Python says of it."""
    place = folder / f"{number:05}"
    place.mkdir(parents=True)
    (place / "bundle.zip").write_bytes(case.bundle)
    for name, data in case.trust:
        (place / f"trust-{name}").write_bytes(data)
    for name, data in case.held:
        (place / name).write_bytes(data)
    result = case.verify()
    answer = {
        "answer": json.loads(result.to_json()),
        "description": case.description,
        "expected": case.expected,
        "held": [name for name, _ in case.held],
        "is_about_text": case.is_about_text,
        "trust": [f"trust-{name}" for name, _ in case.trust],
    }
    (place / "case.json").write_text(json.dumps(answer, indent=1, ensure_ascii=False) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--good", type=int, default=1000)
    parser.add_argument("--damaged", type=int, default=1000)
    given = parser.parse_args()
    made = cases(seed=given.seed, good_ones=given.good, damaged_ones=given.damaged)
    for number, case in enumerate(made):
        write(given.out, number, case)


if __name__ == "__main__":
    main()
