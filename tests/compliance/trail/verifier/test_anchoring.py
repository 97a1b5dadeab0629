"""What is trusted decides: keys in force, both algorithms, witnesses, times of compromised keys."""

from datetime import timedelta

import pytest

from compliance.trail import bundles
from compliance.trail.tlog import keys, note
from compliance.trail.tlog.checkpoint import Checkpoint
from compliance.trail.verifier import verification, writing
from compliance.trail.verifier.contents import Contents, Kind, Subject
from compliance.trail.verifier.findings import Exit, Unusable, Verdict
from compliance.trail.verifier.outcome import Result
from compliance.trail.verifier.trust import Trust
from tests import damage, synthetic_log
from tests.synthetic_log import SyntheticLog


def small_log(*, has_second_key: bool = True) -> SyntheticLog:
    log = SyntheticLog(seed=4, has_second_key=has_second_key)
    log.insert("batches", "1", state="planned")
    log.seal()
    log.checkpoint()
    log.stamp()
    return log


def contents_of(log: SyntheticLog, *, sizes: tuple[int, ...] = ()) -> Contents:
    about = Subject(kind=Kind.RECORD, title="B", records=(("batches", "1"),))
    return bundles.gather(log, about, created_at=log.now, sizes=sizes)


def verified(contents: Contents, *trust: bytes, held: tuple[bytes, ...] = ()) -> Result:
    return verification.verify(
        writing.files(contents),
        trust=Trust.read([(f"trust {n}", one) for n, one in enumerate(trust)]),
        held=[(f"held {n}", one) for n, one in enumerate(held)],
    )


def verdicts(result: Result) -> set[Verdict]:
    return {one.verdict for one in result.problems}


def test_one_key_is_trust_enough_for_who_wants_no_more() -> None:
    log = small_log()

    for one in log.first_keys:
        assert verified(contents_of(log), f"# mine\n{one.vkey}\n".encode()).exit is Exit.GOOD


@pytest.mark.parametrize("kept", [0, 1])
def test_of_two_trusted_keys_both_must_have_signed(kept: int) -> None:
    log = small_log()
    text, signatures = note.split(log.notes[log.newest()])
    log.notes[log.newest()] = f"{text}\n{signatures[kept].line}".encode()
    log.stamps.clear()
    one, both = log.first_keys[kept], log.first_keys

    assert verified(contents_of(log), one.vkey.encode()).exit is Exit.GOOD
    result = verified(contents_of(log), "\n".join(key.vkey for key in both).encode())
    assert result.exit is Exit.UNANCHORED
    assert not result.is_anchored


def test_k_of_n_witnesses_are_counted() -> None:
    log = small_log()
    log.checkpoint(witnesses=1)
    lines = log.policy.decode().replace("group both all", "group both any")

    assert verified(contents_of(log), lines.encode()).exit is Exit.GOOD
    assert verified(contents_of(log), log.policy).exit is Exit.UNANCHORED


def test_every_policy_has_its_say() -> None:
    log = small_log()
    lines = log.policy.decode().replace("quorum both", "quorum none")
    log.checkpoint(witnesses=0)

    assert verified(contents_of(log), lines.encode()).exit is Exit.GOOD
    assert verified(contents_of(log), lines.encode(), log.policy).exit is Exit.UNANCHORED


def test_a_false_cosignature_of_a_trusted_witness_is_tampering() -> None:
    log = small_log()
    size = log.newest()
    text, signatures = note.split(log.notes[size])
    last = signatures[-1]
    false = note.Signature(last.name, last.key_id, last.signature[:-1] + b"\0").line
    lines = "".join(one.line for one in signatures[:-1])
    log.notes[size] = f"{text}\n{lines}{false}".encode()

    result = verified(contents_of(log), log.policy)

    assert verdicts(result) == {Verdict.TAMPERED}
    assert not result.is_anchored


def test_a_rotated_key_is_followed_from_the_first_one() -> None:
    log = small_log()
    log.rotate()
    log.insert("batches", "2", state="planned")
    log.checkpoint()

    assert verified(contents_of(log, sizes=tuple(log.notes)), log.policy).exit is Exit.GOOD


def test_a_rotation_that_is_left_out_leaves_the_new_key_unknown() -> None:
    log = small_log()
    log.rotate()
    log.insert("batches", "2", state="planned")
    log.checkpoint()
    contents = contents_of(log)
    events = [one.index for one in log.log_events("key")]

    result = verified(damage.without(contents, *events), log.policy)

    assert result.exit is Exit.UNANCHORED


@pytest.mark.parametrize(
    ("hours", "has_witnesses", "has_roots", "is_good"),
    [
        (+1, True, False, True),  # a witness saw the note before the theft
        (+1, False, True, True),  # a time stamp was made before it
        (+1, False, False, False),  # nothing shows when it was signed
        (-9, True, True, False),  # everything is from after it
    ],
)
def test_a_stolen_key_counts_for_what_was_seen_before(
    hours: int, has_witnesses: bool, has_roots: bool, is_good: bool
) -> None:
    log = small_log(has_second_key=False)
    old = log.newest()
    log.begin(synthetic_log.key_pair(log.origin, keys.ED25519, "second"))
    log.stamp()
    stolen_at = log.now + timedelta(hours=hours)
    log.compromise(0, stolen_at, to_size=len(log.rows))
    log.insert("batches", "2", state="planned")
    log.checkpoint()
    trust = [log.policy if has_witnesses else log.first_keys[0].vkey.encode()]
    trust += [log.authority.root_pem] if has_roots else []

    result = verified(contents_of(log, sizes=(old,)), *trust)

    assert (result.exit is Exit.GOOD) is is_good
    assert is_good or Verdict.TAMPERED in verdicts(result)


def test_a_time_stamp_over_a_note_without_the_keys_signature_proves_nothing_of_it() -> None:
    log = small_log(has_second_key=False)
    old = log.newest()
    text, _ = note.split(log.notes[old])
    stranger = synthetic_log.key_pair("stranger.example", keys.ED25519, 1)
    unsigned = note.sign(text, [stranger]).encode()
    response = log.authority.stamp(unsigned, log.now)
    log.stamps[old] = bundles.TimeStamp(response=response, note=unsigned)
    log.begin(synthetic_log.key_pair(log.origin, keys.ED25519, "second"))
    log.compromise(0, log.now + timedelta(hours=1), to_size=len(log.rows))
    log.checkpoint()

    result = verified(
        contents_of(log, sizes=(old,)), log.first_keys[0].vkey.encode(), log.authority.root_pem
    )

    assert Verdict.TAMPERED in verdicts(result)


def test_a_note_stamped_before_its_cosignatures_came_is_kept_beside_it() -> None:
    log = small_log()
    size = log.newest()
    text, signatures = note.split(log.notes[size])
    early = f"{text}\n{''.join(one.line for one in signatures[:2])}".encode()
    log.stamps[size] = bundles.TimeStamp(response=log.authority.stamp(early, log.now), note=early)

    result = verified(contents_of(log), log.policy, log.authority.root_pem)

    assert result.exit is Exit.GOOD
    assert size in result.proven_times


# --- Checkpoints held by others


def test_a_held_checkpoint_of_a_size_in_the_bundle_agrees() -> None:
    log = small_log()
    held = log.notes[log.newest()]

    assert verified(contents_of(log), log.policy, held=(held,)).exit is Exit.GOOD


def test_a_held_checkpoint_is_compared_without_trust_too() -> None:
    log = small_log()
    size = log.newest()
    other = Checkpoint(origin=log.origin, size=size, root=bytes(32)).text()
    signed = note.sign(other, [synthetic_log.key_pair(log.origin, 1, "any")]).encode()

    assert Verdict.FORK in verdicts(verified(contents_of(log), held=(signed,)))


def test_a_held_checkpoint_that_no_trusted_key_signed_is_no_evidence_of_a_fork() -> None:
    log = small_log()
    other = Checkpoint(origin=log.origin, size=log.newest(), root=bytes(32)).text()
    signed = note.sign(other, [synthetic_log.key_pair(log.origin, 1, "any")]).encode()

    result = verified(contents_of(log), log.policy, held=(signed,))

    assert verdicts(result) == {Verdict.UNANCHORED}
    assert result.exit is Exit.UNANCHORED


@pytest.mark.parametrize("is_larger", [False, True])
def test_a_held_checkpoint_of_another_size_is_not_comparable(is_larger: bool) -> None:
    log = small_log()
    contents = contents_of(log)
    if is_larger:
        log.insert("batches", "2", state="planned")
        held = log.notes[log.checkpoint()]
    else:
        size = 1
        text = Checkpoint(origin=log.origin, size=size, root=log.root(size)).text()
        signers = [log.signers[one] for one in log.first_keys]
        held = note.sign(text, signers, at=1).encode()

    result = verified(contents, log.policy, held=(held,))

    assert verdicts(result) == {Verdict.NOT_COMPARABLE}
    assert result.exit is Exit.UNANCHORED


def test_a_held_checkpoint_of_another_log_is_not_comparable() -> None:
    log = small_log()
    other = SyntheticLog(origin="gmp.example/plant/2")
    other.insert("batches", "1", state="planned")

    result = verified(contents_of(log), log.policy, held=(other.notes[other.checkpoint()],))

    assert verdicts(result) == {Verdict.NOT_COMPARABLE}


# --- Files of trust


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"# only a comment\n",
        b"hello\n",
        b"\xff\xfe\n",
        b"-----BEGIN CERTIFICATE-----\nnothing\n",
        b"log nonsense\nquorum none\n",
    ],
)
def test_a_file_that_says_nothing_to_trust_is_refused(data: bytes) -> None:
    with pytest.raises(Unusable):
        Trust.read([("file", data)])


def test_a_witness_key_without_a_policy_is_refused() -> None:
    witness = small_log().witnesses[0]

    with pytest.raises(Unusable):
        Trust.read([("file", witness.verifier.vkey.encode())])
