"""Test signed notes: who signed, and which bytes are a note at all."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.trail.tlog import keys, note
from compliance.trail.tlog.keys import KeyPair, Verifier

PROPERTY = settings(derandomize=True, deadline=None, database=None, max_examples=150)

TEXT = "plant.example/log\n3\nroot\n"
LOG = KeyPair("plant.example/log", keys.ED25519, bytes(range(32)))
NEXT = KeyPair("plant.example/log", keys.ED25519, bytes(range(2, 34)))
WITNESS = KeyPair("plant.example/witness", keys.COSIGNATURE_V1, bytes(range(1, 33)))
STRANGER = KeyPair("other.example", keys.ED25519, bytes(range(3, 35)))
NOTE = note.sign(TEXT, [LOG])


def test_the_published_example_is_written_byte_for_byte() -> None:
    """The example of golang.org/x/mod/sumdb/note; Ed25519 has one signature for a text."""
    signer = KeyPair.parse(
        "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
    )
    text = (
        "If you think cryptography is the answer to your problem,\n"
        "then you don't know what your problem is.\n"
    )

    assert note.sign(text, [signer]) == (
        f"{text}\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNX"
        "gKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
    )


def test_a_note_opens_with_the_key_that_signed_it() -> None:
    opened = note.open(NOTE, [LOG.verifier])

    assert opened.text == TEXT
    assert opened.names == {"plant.example/log"}
    assert opened.unknown == ()
    assert note.open(NOTE.encode(), [LOG.verifier]) == opened


def test_a_witness_adds_its_line_with_its_time() -> None:
    line = note.signature_of(TEXT, WITNESS, at=1_700_000_000)
    cosigned = note.add(NOTE, [line])

    opened = note.open(cosigned, [LOG.verifier, WITNESS.verifier])
    assert [(one.verifier, one.at) for one in opened.verified] == [
        (LOG.verifier, None),
        (WITNESS.verifier, 1_700_000_000),
    ]
    assert cosigned == note.sign(TEXT, [LOG, WITNESS], at=1_700_000_000)


def test_signatures_of_unknown_keys_are_set_aside() -> None:
    cosigned = note.sign(TEXT, [STRANGER, LOG, NEXT])

    opened = note.open(cosigned, [LOG.verifier])

    assert [one.verifier for one in opened.verified] == [LOG.verifier]
    assert [(one.name, one.key_id) for one in opened.unknown] == [
        (STRANGER.name, STRANGER.verifier.key_id),
        (NEXT.name, NEXT.verifier.key_id),
    ]


def test_a_note_of_unknown_keys_only_is_not_signed() -> None:
    for verifiers in ([], [STRANGER.verifier], [NEXT.verifier]):
        with pytest.raises(note.NoteUnsigned):
            note.open(NOTE, verifiers)


def test_one_failing_known_key_spoils_the_note() -> None:
    elsewhere = note.signature_of("another text\n", STRANGER)
    spoiled = note.add(NOTE, [elsewhere])

    assert note.open(spoiled, [LOG.verifier]).text == TEXT
    with pytest.raises(note.SignatureFailed, match=STRANGER.name):
        note.open(spoiled, [LOG.verifier, STRANGER.verifier])


def test_a_signature_with_another_key_under_a_known_id_fails() -> None:
    forged = note.Signature(LOG.name, LOG.verifier.key_id, NEXT.sign(TEXT))

    with pytest.raises(note.SignatureFailed):
        note.open(f"{TEXT}\n{forged.line}", [LOG.verifier])


def test_a_changed_text_fails() -> None:
    with pytest.raises(note.SignatureFailed):
        note.open(NOTE.replace("\n3\n", "\n4\n"), [LOG.verifier])


def test_a_cosignature_does_not_pass_as_a_signature_of_the_log() -> None:
    same_key = KeyPair(WITNESS.name, keys.ED25519, WITNESS.seed)
    cosigned = note.sign(TEXT, [WITNESS], at=5)

    with pytest.raises(note.NoteUnsigned):
        note.open(cosigned, [same_key.verifier])


def test_two_signatures_of_one_known_key_are_refused() -> None:
    twice = note.add(NOTE, [note.signature_of(TEXT, WITNESS, at=at) for at in (1, 2)])

    assert len(note.open(twice, [LOG.verifier]).unknown) == 2
    with pytest.raises(note.NoteMalformed, match="two signatures"):
        note.open(twice, [LOG.verifier, WITNESS.verifier])


def test_two_keys_that_cannot_be_told_apart_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    # Two real keys with one 32-bit ID take hours to find: the ID is made to meet.
    monkeypatch.setattr(Verifier, "key_id", b"same")

    with pytest.raises(keys.KeyInvalid, match="same key ID"):
        note.open(NOTE, [LOG.verifier, NEXT.verifier])


def test_a_key_that_is_listed_twice_is_one_key() -> None:
    assert len(note.open(NOTE, [LOG.verifier, LOG.verifier]).verified) == 1


@pytest.mark.parametrize("text", ["\n", "a\n\n", "\n\na\n\n\n", "a\n\n— b c\n", "é — \u2028\n"])
def test_a_text_with_empty_lines_comes_back_whole(text: str) -> None:
    assert note.open(note.sign(text, [LOG]), [LOG.verifier]).text == text


@pytest.mark.parametrize("text", ["", "no newline", "tab\t\n", "\r\n", "\x00\n", "\ud800\n"])
def test_a_text_that_no_note_can_have_is_not_signed(text: str) -> None:
    with pytest.raises(note.NoteMalformed):
        note.sign(text, [LOG])


def test_a_note_without_signers_is_not_made() -> None:
    with pytest.raises(note.NoteUnsigned):
        note.sign(TEXT, [])


LINE = NOTE.removeprefix(TEXT + "\n")


@pytest.mark.parametrize(
    "malformed",
    [
        "",
        "\n",
        TEXT,
        TEXT + LINE,
        TEXT + "\n",
        TEXT + "\n\n",
        NOTE[:-1],
        NOTE[:-1] + "x",
        NOTE + "\n",
        NOTE + "more\n",
        NOTE + "— name\n",
        NOTE + "— name \n",
        NOTE + "—  AAAAAAAA\n",
        NOTE + "— name AAAAAA==\n",
        NOTE + "— name AAAAAAA\n",
        NOTE + "— name AAAAAAB=\n",
        NOTE + "— name AAAAAAA= x\n",
        NOTE + "— na+me AAAAAAA=\n",
        NOTE + "— na\u00a0me AAAAAAA=\n",
        NOTE + "- name AAAAAAA=\n",
        NOTE + "—name AAAAAAA=\n",
        NOTE + " — name AAAAAAA=\n",
        NOTE.replace("\n", "\r\n"),
        NOTE.replace("root", "ro\tot"),
        NOTE.replace("root", "ro\x00ot"),
        NOTE.replace("root", "ro\ud800ot"),
        NOTE.encode().replace(b"root", b"ro\xffot"),
        NOTE.encode().replace(b"root", b"ro\xed\xa0\x80ot"),
        NOTE.encode("utf-16"),
        NOTE.replace(" plant", "  plant", 1),
        LINE,
    ],
)
def test_another_form_is_no_note(malformed: str | bytes) -> None:
    with pytest.raises(note.NoteMalformed):
        note.open(malformed, [LOG.verifier])


def test_the_number_of_signatures_and_the_size_have_limits() -> None:
    unknown = note.signature_of(TEXT, STRANGER)

    full = note.add(NOTE, [unknown] * (note.MAX_SIGNATURES - 1))
    assert len(note.open(full, [LOG.verifier]).unknown) == note.MAX_SIGNATURES - 1
    with pytest.raises(note.NoteMalformed, match="signatures"):
        note.add(full, [unknown])
    with pytest.raises(note.NoteMalformed, match="bytes"):
        note.sign("é" * (note.MAX_BYTES // 2) + "\n", [LOG])
    with pytest.raises(note.NoteMalformed, match="bytes"):
        note.open("a\n" * note.MAX_BYTES + "\n" + LINE, [LOG.verifier])


@PROPERTY
@given(st.data())
def test_a_damaged_note_never_gives_another_text(data: st.DataObject) -> None:
    good = note.sign(TEXT, [LOG, STRANGER, WITNESS], at=7).encode()
    start = data.draw(st.integers(0, len(good)))
    end = data.draw(st.integers(start, min(len(good), start + 8)))
    junk = data.draw(st.binary(max_size=4) | st.sampled_from([b"\n", b"\n\n", "— ".encode(), b" "]))
    damaged = good[:start] + junk + good[end:]

    try:
        opened = note.open(damaged, [LOG.verifier, WITNESS.verifier])
    except note.NoteInvalid:
        return

    assert opened.text == TEXT


@PROPERTY
@given(st.binary(max_size=60) | st.text(max_size=60))
def test_what_nobody_signed_never_opens(anything: str | bytes) -> None:
    with pytest.raises(note.NoteInvalid):
        note.open(anything, [LOG.verifier])
