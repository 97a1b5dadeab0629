"""Damage to what a bundle says, with manifest and container made again."""

import json
from dataclasses import replace

from cryptography.hazmat.primitives.serialization import Encoding

from compliance.trail import bundles
from compliance.trail.tlog import canonical, leaf, note
from compliance.trail.tlog.checkpoint import Checkpoint
from compliance.trail.verifier import writing
from compliance.trail.verifier.contents import Completeness, Kind, Subject
from compliance.trail.verifier.findings import Verdict
from tests import synthetic_log
from tests.damage.cases import (
    Case,
    Scene,
    damage,
    gather,
    impostor,
    packed_again,
    record_of,
    replaced,
    sealed,
    with_bucket,
    with_note,
    with_token,
    without,
)


@damage
def _entry_left_out(made: Scene) -> Case:
    # Not one from after the seal: of the last entries nothing says that they are the last.
    gone = made.entry()
    while gone.index >= sealed(made)["tree_size"]:
        gone = made.entry()
    return made.case(
        without(made.contents, gone.index), f"entry {gone.index} left out", Verdict.MISSING
    )


@damage
def _last_entry_left_out(made: Scene) -> Case:
    record = next(one for one in made.contents.subject.records if one in made.log.last)
    seal = made.contents.completeness.seal or 0
    gone = max(one.index for one in made.contents.entries
               if record_of(one) == record and one.index < seal)  # fmt: skip
    later = [
        one.index for one in made.contents.entries if record_of(one) == record and one.index > gone
    ]
    return made.case(
        without(made.contents, gone, *later), f"last entry {gone} left out", Verdict.MISSING
    )


@damage
def _claims_taken_back(made: Scene) -> Case:
    record = next(one for one in made.contents.subject.records if one in made.log.last)
    gone = max(one.index for one in made.contents.entries if record_of(one) == record)
    about = replace(
        made.contents.subject, kind=made.random.choice([Kind.RECORD, Kind.BATCH]), records=()
    )
    contents = replace(without(made.contents, gone), subject=about, completeness=Completeness())
    return made.case(contents, f"nothing claimed, {gone} left out", Verdict.MALFORMED)


@damage
def _whole_record_left_out(made: Scene) -> Case:
    record = next(one for one in made.contents.subject.records if one in made.log.last)
    gone = [one.index for one in made.contents.entries if record_of(one) == record]
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
    changed = with_note(made.contents, size, note.sign(text, [stranger]).encode())
    return made.case(changed, "newest checkpoint signed by a stranger", Verdict.UNANCHORED)


@damage
def _checkpoint_signature_altered(made: Scene) -> Case:
    size = made.random.choice(sorted(made.contents.checkpoints))
    text, signatures = note.split(made.contents.checkpoints[size].note)
    first = signatures[0]
    wrong = note.Signature(first.name, first.key_id, bytes(64) + first.signature[64:])
    lines = "".join(one.line for one in (wrong, *signatures[1:]))
    changed = with_note(made.contents, size, f"{text}\n{lines}".encode())
    return made.case(changed, f"signature of checkpoint {size}", Verdict.TAMPERED)


@damage
def _checkpoint_root_replaced(made: Scene) -> Case:
    size = made.contents.tree_size
    text = Checkpoint(origin=made.contents.origin, size=size, root=bytes(32)).text()
    stranger = synthetic_log.key_pair(made.log.origin, 1, "stranger")
    changed = with_note(made.contents, size, note.sign(text, [stranger]).encode())
    return made.case(changed, "newest checkpoint with another root", Verdict.TAMPERED)


@damage
def _cosignature_left_out(made: Scene) -> Case:
    size = made.contents.tree_size
    text, signatures = note.split(made.contents.checkpoints[size].note)
    lines = "".join(one.line for one in signatures[:-1])
    changed = with_note(made.contents, size, f"{text}\n{lines}".encode())
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
    return with_bucket(made, number, replace(bucket, heads=heads), "a head says more entries")


@damage
def _head_left_out(made: Scene) -> Case:
    whole = made.contents.completeness
    number = next(n for n, one in enumerate(whole.buckets) if one.heads)
    bucket = whole.buckets[number]
    return with_bucket(
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
    response = impostor().stamp(made.contents.stamped_note(size), made.log.now)
    return made.case(
        with_token(made.contents, size, response), f"token {size} of another", Verdict.TAMPERED
    )


@damage
def _token_over_something_else(made: Scene) -> Case:
    size = made.random.choice(sorted(made.contents.timestamps))
    response = made.log.authority.stamp(b"something else", made.log.now)
    return made.case(
        with_token(made.contents, size, response), f"token {size} over else", Verdict.TAMPERED
    )


@damage
def _root_of_the_bundle(made: Scene) -> Case:
    size = made.random.choice(sorted(made.contents.timestamps))
    response = impostor().stamp(made.contents.stamped_note(size), made.log.now)
    changed = with_token(made.contents, size, response)
    changed = replace(changed, authorities=impostor().root_pem)
    return made.case(changed, "the bundle brings its own root", Verdict.TAMPERED)


@damage
def _record_claimed_without_entries(made: Scene) -> Case:
    own = made.contents.subject.records
    other = next(one for one in made.log.last if one not in own and one[0] == "people")
    bucket = made.log.heads(**sealed(made)).prove_record(*other)
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
    return packed_again(made, files, f"white space in {name}")


@damage
def _lines_out_of_order(made: Scene) -> Case:
    files = writing.files(made.contents)
    lines = files["entries.jsonl"].splitlines(keepends=True)
    files["entries.jsonl"] = b"".join([lines[1], lines[0], *lines[2:]])
    return packed_again(made, files, "lines of entries exchanged")


@damage
def _member_added(made: Scene) -> Case:
    files = writing.files(made.contents)
    first, rest = files["entries.jsonl"].split(b"\n", 1)
    more = json.loads(first) | {"zeal": True}
    files["entries.jsonl"] = canonical.dumps(more) + b"\n" + rest
    return packed_again(made, files, "unknown member in an entry")


@damage
def _report_altered(made: Scene) -> Case:
    files = writing.files(made.contents)
    files["report.html"] = files["report.html"].replace(b"operator", b"auditor")
    return packed_again(made, files, "doctored report", is_about_text=True)


@damage
def _readme_altered(made: Scene) -> Case:
    files = writing.files(made.contents)
    files["README.txt"] = files["README.txt"].replace(b"--trust", b"--trusts")
    return packed_again(made, files, "doctored README", is_about_text=True)


@damage
def _authorities_that_are_none(made: Scene) -> Case:
    files = writing.files(made.contents)
    pem = made.log.authority.middle_pem
    broken = pem.replace(b"MII", b"MIJ", 1)
    files["tsa.pem"] = made.random.choice([b"", b"junk\n", pem[:-9], pem + pem[:99], broken])
    return packed_again(made, files, "tsa.pem that is no PEM")


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
        with_token(made.contents, size, response), f"token {size}: {sin}", Verdict.TAMPERED
    )


@damage
def _signer_only_beside_its_token(made: Scene) -> Case:
    size = made.random.choice(sorted(made.contents.timestamps))
    tsa = made.log.authority
    response = tsa.stamp(made.contents.stamped_note(size), made.log.now, shown=False)
    pem = tsa.certificate.public_bytes(Encoding.PEM)
    changed = replace(with_token(made.contents, size, response), authorities=pem)
    return made.case(changed, f"signer of token {size} in tsa.pem", Verdict.TAMPERED)


@damage
def _key_signed_twice(made: Scene) -> Case:
    size = made.contents.tree_size
    text, signatures = note.split(made.contents.checkpoints[size].note)
    again = made.random.choice(signatures)
    lines = "".join(one.line for one in (*signatures, again))
    changed = with_note(made.contents, size, f"{text}\n{lines}".encode())
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
    size = sealed(made)["tree_size"]
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
