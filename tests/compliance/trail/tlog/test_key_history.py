"""Test which keys of a log count for which of its checkpoints."""

import json
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest

from compliance.trail.tlog import canonical, key_documents, key_history, keys, note
from compliance.trail.tlog.checkpoint import Checkpoint
from compliance.trail.tlog.key_documents import Document, Event, KeyRefused
from compliance.trail.tlog.key_history import KeyHistory
from compliance.trail.tlog.keys import KeyPair

ORIGIN = "plant.example/log"
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
AT = int(NOON.timestamp())


def pair(number: int, algorithm: int = keys.ED25519, name: str = ORIGIN) -> KeyPair:
    return KeyPair(name, algorithm, bytes([number]) * 32)


OLD, NEW, NEWEST = pair(1), pair(2), pair(3)
SHIELD, NEW_SHIELD = pair(1, keys.ML_DSA_44), pair(2, keys.ML_DSA_44)
PINNED = [OLD.verifier, SHIELD.verifier]


def checkpoint(size: int, *signers: KeyPair, origin: str = ORIGIN) -> str:
    root = sha256(str(size).encode()).digest()
    return note.sign(Checkpoint(origin=origin, size=size, root=root).text(), signers, at=AT)


def rotate(old: KeyPair, new: KeyPair, size: int) -> str:
    return Document(
        event=Event.ROTATE,
        verifier=new.verifier,
        signed_by=old.verifier,
        from_size=size,
        to_size=size + 1,
    ).signed(old, origin=ORIGIN, at=AT)


def begin(signer: KeyPair, new: KeyPair, size: int) -> str:
    return Document(
        event=Event.BEGIN, verifier=new.verifier, signed_by=signer.verifier, from_size=size
    ).signed(signer, origin=ORIGIN, at=AT)


def retire(signer: KeyPair, key: KeyPair, size: int) -> str:
    return Document(
        event=Event.RETIRE, verifier=key.verifier, signed_by=signer.verifier, to_size=size
    ).signed(signer, origin=ORIGIN, at=AT)


def compromise(signer: KeyPair, key: KeyPair, size: int, at: datetime = NOON) -> str:
    return Document(
        event=Event.COMPROMISE,
        verifier=key.verifier,
        signed_by=signer.verifier,
        to_size=size,
        compromised_at=at,
    ).signed(signer, origin=ORIGIN, at=AT)


def history(*documents: str) -> KeyHistory:
    return KeyHistory.replay(ORIGIN, pinned=PINNED, documents=documents)


# --- Checkpoints


def test_a_checkpoint_signed_by_every_key_in_force_opens() -> None:
    assert history().open(checkpoint(7, OLD, SHIELD)).size == 7


@pytest.mark.parametrize("signers", [(OLD,), (SHIELD,)])
def test_one_of_two_keys_in_force_is_not_enough(signers: tuple[KeyPair, ...]) -> None:
    with pytest.raises(key_history.SignatureMissing):
        history().open(checkpoint(7, *signers))


def test_a_checkpoint_signed_by_strangers_only_is_unsigned() -> None:
    with pytest.raises(key_history.SignatureMissing, match="no key in force"):
        history().open(checkpoint(7, NEW, pair(9, keys.COSIGNATURE_V1, "witness.example")))


def test_signatures_of_witnesses_are_set_aside() -> None:
    witness = pair(9, keys.COSIGNATURE_V1, "witness.example")

    assert history().open(checkpoint(7, OLD, SHIELD, witness)).size == 7


def test_a_wrong_signature_of_a_key_in_force_is_refused() -> None:
    text = checkpoint(7, OLD, SHIELD)
    other = checkpoint(8, OLD, SHIELD).split("\n\n")[1]

    with pytest.raises(key_history.SignatureWrong):
        history().open(text.split("\n\n")[0] + "\n\n" + other)


def test_a_checkpoint_of_another_log_or_none_at_all_is_refused() -> None:
    for text in (checkpoint(7, OLD, SHIELD, origin="plant.example/lag"), "text\n\nno", ""):
        with pytest.raises(key_history.NotACheckpoint):
            history().open(text)


def test_a_key_document_cannot_pass_as_a_checkpoint() -> None:
    signature = json.loads(rotate(OLD, NEW, 10))["signature"]

    with pytest.raises(key_history.NotACheckpoint):
        history().open(key_documents.octets.from_base64(signature).decode())


# --- Rotation


def test_a_rotation_overlaps_in_exactly_one_checkpoint_signed_by_both() -> None:
    known = history(rotate(OLD, NEW, 10))

    for size, signers in ((9, (OLD, SHIELD)), (10, (OLD, NEW, SHIELD)), (11, (NEW, SHIELD))):
        assert known.open(checkpoint(size, *signers)).size == size
    for size, signers in ((10, (OLD, SHIELD)), (10, (NEW, SHIELD)), (11, (SHIELD,))):
        with pytest.raises(key_history.SignatureMissing):
            known.open(checkpoint(size, *signers))


@pytest.mark.parametrize("size, signers", [(9, (OLD, NEW, SHIELD)), (11, (OLD, NEW, SHIELD))])
def test_a_signature_of_a_key_out_of_its_range_is_refused(
    size: int, signers: tuple[KeyPair, ...]
) -> None:
    with pytest.raises(key_history.KeyOutOfRange):
        history(rotate(OLD, NEW, 10)).open(checkpoint(size, *signers))


def test_a_retired_key_alone_signs_nothing_beyond_its_range() -> None:
    with pytest.raises(key_history.KeyOutOfRange):
        history(rotate(OLD, NEW, 10)).open(checkpoint(5000, OLD, SHIELD))


def test_both_types_of_key_can_be_exchanged_at_one_size() -> None:
    known = history(rotate(OLD, NEW, 10), rotate(SHIELD, NEW_SHIELD, 10))

    assert known.open(checkpoint(10, OLD, NEW, SHIELD, NEW_SHIELD)).size == 10
    assert known.open(checkpoint(11, NEW, NEW_SHIELD)).size == 11


def test_the_signer_is_told_which_checkpoint_it_must_not_jump_over() -> None:
    known = history(rotate(OLD, NEW, 10), rotate(NEW, NEWEST, 20))

    assert [known.boundary_between(*sizes) for sizes in ((0, 9), (0, 10), (9, 30), (10, 30))] == [
        None, None, 10, 20,
    ]  # fmt: skip


def test_an_ml_dsa_key_can_sign_the_exchange_of_another_type() -> None:
    known = history(begin(SHIELD, NEW, 10), retire(SHIELD, OLD, 11))

    assert known.open(checkpoint(10, OLD, NEW, SHIELD)).size == 10
    assert known.open(checkpoint(11, NEW, SHIELD)).size == 11


def test_where_every_key_has_retired_nothing_is_good() -> None:
    known = history(retire(OLD, SHIELD, 10), retire(OLD, OLD, 10))

    assert known.open(checkpoint(9, OLD, SHIELD)).size == 9
    with pytest.raises(key_history.NoKeyInForce):
        known.open(checkpoint(10, OLD, SHIELD))


# --- Documents that do not follow


@pytest.mark.parametrize(
    "documents, refused",
    [
        ([rotate(NEW, NEWEST, 10)], key_history.SignerNotInForce),  # of no key of the log
        ([rotate(OLD, NEW, 10), rotate(OLD, NEWEST, 10)], key_history.SignerNotInForce),
        ([rotate(OLD, NEW, 10), begin(OLD, NEWEST, 12)], key_history.SignerNotInForce),
        ([rotate(OLD, NEW, 10), retire(OLD, NEW, 12)], key_history.SignerNotInForce),
        ([compromise(SHIELD, OLD, 10), begin(OLD, NEW, 10)], key_history.SignerNotInForce),
        ([rotate(OLD, NEW, 10), begin(NEW, NEWEST, 9)], key_history.SignerNotInForce),
        ([rotate(OLD, NEW, 10), begin(SHIELD, NEWEST, 9)], key_history.HistoryBroken),
        ([rotate(OLD, NEW, 10), rotate(NEW, OLD, 20)], key_history.HistoryBroken),
        ([rotate(OLD, OLD, 10)], key_history.HistoryBroken),
        ([rotate(OLD, NEW, 0)], key_history.HistoryBroken),
        ([rotate(OLD, NEW_SHIELD, 10)], key_history.HistoryBroken),  # another type
        ([retire(SHIELD, NEW, 10)], key_history.HistoryBroken),  # never had it
        ([retire(SHIELD, OLD, 0)], key_history.HistoryBroken),
        ([retire(SHIELD, OLD, 10), retire(SHIELD, OLD, 9)], key_history.HistoryBroken),
        ([compromise(SHIELD, OLD, 9), compromise(SHIELD, OLD, 9)], key_history.HistoryBroken),
    ],
)
def test_a_document_that_does_not_follow_is_refused(
    documents: list[str], refused: type[KeyRefused]
) -> None:
    with pytest.raises(refused):
        history(*documents)


def test_a_rotation_that_overlaps_in_more_than_one_checkpoint_is_refused() -> None:
    for end in (10, 12):
        wide = Document(
            event=Event.ROTATE,
            verifier=NEW.verifier,
            signed_by=OLD.verifier,
            from_size=10,
            to_size=end,
        )
        with pytest.raises(key_history.HistoryBroken, match="exactly one"):
            history(wide.signed(OLD, origin=ORIGIN, at=AT))


# --- Compromise


def test_a_compromised_key_needs_proof_from_before() -> None:
    known = history(begin(SHIELD, NEW, 10), compromise(SHIELD, OLD, 10))
    before, after = checkpoint(9, OLD, SHIELD), checkpoint(10, NEW, SHIELD)

    assert known.open(before, proved_at=NOON - timedelta(microseconds=1)).size == 9
    assert known.open(after).size == 10
    assert known.signed(before).size == 9
    for proved_at in (None, NOON, NOON + timedelta(seconds=1)):
        with pytest.raises(key_history.KeyCompromised):
            known.open(before, proved_at=proved_at)
    with pytest.raises(key_history.KeyOutOfRange):
        known.open(checkpoint(10, OLD, NEW, SHIELD), proved_at=NOON - timedelta(days=1))


def test_a_stolen_key_can_be_given_up_with_itself_and_then_decides_nothing() -> None:
    given_up = compromise(OLD, OLD, 10)

    assert history(given_up).records[0].compromised_at == NOON
    with pytest.raises(key_history.SignerNotInForce):
        history(given_up, rotate(OLD, NEW, 11))


def test_a_retired_key_can_turn_out_compromised_and_earlier_than_first_thought() -> None:
    earlier = NOON - timedelta(days=3)
    known = history(
        rotate(OLD, NEW, 10), compromise(NEW, OLD, 30), compromise(NEW, OLD, 30, earlier)
    )

    record = known.record_of(OLD.verifier)
    assert record and (record.to_size, record.compromised_at) == (11, earlier)


# --- The form of documents


def test_a_document_survives_its_text_form() -> None:
    for text in (
        rotate(OLD, NEW, 10),
        begin(SHIELD, NEW, 10),
        retire(OLD, SHIELD, 10),
        compromise(SHIELD, OLD, 10, NOON.replace(microsecond=7)),
    ):
        document = key_documents.parse(text, origin=ORIGIN)
        signer = OLD if document.signed_by == OLD.verifier else SHIELD
        again = json.loads(document.signed(signer, origin=ORIGIN, at=AT)) | {"signature": ""}
        assert again == json.loads(text) | {"signature": ""}


def test_a_document_of_another_log_is_unsigned() -> None:
    with pytest.raises(key_documents.DocumentUnsigned):
        key_documents.parse(rotate(OLD, NEW, 10), origin="plant.example/lag")


@pytest.mark.parametrize("signer", [OLD, SHIELD])
@pytest.mark.parametrize(
    "change",
    [
        {"from_size": 11},
        {"vkey": NEWEST.verifier.vkey},
        {"signed_by": NEWEST.verifier.vkey},
    ],
)
def test_a_document_changed_after_signing_is_refused(
    signer: KeyPair, change: dict[str, object]
) -> None:
    members = json.loads(begin(signer, NEW, 10)) | change

    with pytest.raises(key_documents.DocumentUnsigned):
        key_documents.parse(canonical.dumps(members).decode(), origin=ORIGIN)


@pytest.mark.parametrize(
    "change",
    [
        {"v": 2},
        {"v": True},
        {"event": "renew"},
        {"event": "begin"},
        {"from_size": "10"},
        {"from_size": True},
        {"from_size": -1},
        {"from_size": None},
        {"to_size": None},
        {"compromised_at": "2026-03-02T12:00:00.000000Z"},
        {"vkey": "x"},
        {"vkey": 7},
        {"signature": "x"},
        {"signature": None},
        {"more": 1},
    ],
)
def test_another_form_is_no_document(change: dict[str, object]) -> None:
    members = json.loads(rotate(OLD, NEW, 10)) | change

    with pytest.raises(key_documents.DocumentInvalid):
        key_documents.parse(canonical.dumps(members).decode(), origin=ORIGIN)


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", rotate(OLD, NEW, 10) + "\n"])
def test_another_text_is_no_document(text: str) -> None:
    with pytest.raises(key_documents.DocumentInvalid):
        key_documents.parse(text, origin=ORIGIN)


def test_a_time_in_another_spelling_is_refused() -> None:
    members = json.loads(compromise(SHIELD, OLD, 10))
    for spelled in (
        "2026-03-02T12:00:00Z",
        "2026-03-02T12:00:00.000000+00:00",
        "2026-02-30T12:00:00.000000Z",
        7,
    ):
        members["compromised_at"] = spelled
        with pytest.raises(key_documents.DocumentInvalid):
            key_documents.parse(canonical.dumps(members).decode(), origin=ORIGIN)


def test_only_the_named_key_can_sign_a_document() -> None:
    document = Document(
        event=Event.BEGIN, verifier=NEW.verifier, signed_by=OLD.verifier, from_size=10
    )

    with pytest.raises(key_documents.DocumentInvalid):
        document.signed(NEWEST, origin=ORIGIN, at=AT)


@pytest.mark.parametrize(
    "new",
    [pair(7, name="witness.example"), pair(7, name=f"{ORIGIN}/2"), pair(7, keys.COSIGNATURE_V1)],
)
def test_only_a_key_that_can_be_of_this_log_begins(new: KeyPair) -> None:
    document = begin(OLD, new, 5)

    with pytest.raises(key_history.HistoryBroken, match="none that signs for"):
        history(document)


def test_a_key_is_not_followed_by_one_of_another_name() -> None:
    with pytest.raises(key_history.HistoryBroken, match="none that signs for"):
        history(rotate(OLD, pair(7, name="witness.example"), 5))
