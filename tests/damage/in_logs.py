"""Bundles of a log that lies, signed with the right keys."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from compliance.trail import bundles
from compliance.trail.tlog import canonical, note
from compliance.trail.tlog.heads import Head
from compliance.trail.verifier.contents import Kind, Subject
from compliance.trail.verifier.findings import Verdict
from tests import synthetic_log
from tests.damage.cases import Case, Scene, damage, gather, sealed, subject


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
    tree = made.log.heads(**sealed(made))
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
