"""Test that every parser answers any input with its one refusal or with the one form it reads."""

import base64
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.trail.tlog import canonical, keys, merkle, note, octets
from compliance.trail.tlog.canonical import NotCanonical
from compliance.trail.tlog.checkpoint import Checkpoint, CheckpointInvalid
from compliance.trail.tlog.keys import KeyInvalid, KeyPair, Verifier
from compliance.trail.tlog.leaf import Leaf, LeafInvalid

PROPERTY = settings(derandomize=True, deadline=None, database=None, max_examples=400)
ROUNDS = 6_000
MILLION = 1_000_000
SECONDS = 5.0  # of processor time; the slowest takes half of one
MESSAGE = 1_000  # characters of a refusal, which goes to logs and people

LOG = KeyPair("plant.example/log", keys.ED25519, bytes(range(32)))
WITNESS = KeyPair("witness.example/é", keys.COSIGNATURE_V1, bytes(range(1, 33)))
TEXT = Checkpoint(origin=LOG.name, size=7, root=merkle.leaf_hash(b"")).text()
NOTE = note.sign(TEXT, [LOG, WITNESS], at=1_700_000_000)
LEAF = Leaf(origin="plant.example/é", index=7, digest=b"\xab" * 32, previous=bytes(32))


@dataclass(frozen=True)
class Parser:
    """A parser, how what it reads is written again, its one refusal, and inputs it accepts."""

    parse: Callable[[Any], Any]
    write: Callable[[Any], str | bytes]
    refusal: type[Exception]
    good: tuple[str | bytes, ...]


def written(split: tuple[str, tuple[note.Signature, ...]]) -> str:
    text, signatures = split
    return text + "\n" + "".join(one.line for one in signatures)


PARSERS = {
    "canonical": Parser(
        canonical.loads,
        canonical.dumps,
        NotCanonical,
        (
            LEAF.data,
            '{"a":[1,-20,true,null,"é😀\\n\\u001f\\"\\\\"],"b":{"c":{},"d":[[]]}}'.encode(),
            b'[9007199254740991,-9007199254740991,0,"",[[[[]]]]]',
        ),
    ),
    "checkpoint": Parser(
        Checkpoint.parse,
        Checkpoint.text,
        CheckpointInvalid,
        (TEXT, TEXT + "extension\n", f"o\n0\n{octets.to_base64(merkle.EMPTY_ROOT)}\n"),
    ),
    "note of bytes": Parser(
        note.split, lambda split: written(split).encode(), note.NoteMalformed, (NOTE.encode(),)
    ),
    "note of text": Parser(note.split, written, note.NoteMalformed, (NOTE, "\n\n\n— a AAAAAAA=\n")),
    "public key": Parser(
        Verifier.parse,
        lambda verifier: verifier.vkey,
        KeyInvalid,
        (LOG.verifier.vkey, WITNESS.verifier.vkey),
    ),
    "private key": Parser(
        KeyPair.parse, lambda pair: pair.skey, KeyInvalid, (LOG.skey, WITNESS.skey)
    ),
    "leaf": Parser(Leaf.parse, lambda leaf: leaf.data, LeafInvalid, (LEAF.data,)),
    "base64": Parser(
        octets.from_base64, octets.to_base64, ValueError, ("", "QQ==", "QUI=", "QUJD")
    ),
}
each_parser = pytest.mark.parametrize("name", PARSERS)

TOKENS = [
    *(bytes([byte]) for byte in b'\x00\t\n\r "\\/+-=_.,:;0179AZaz[]{}\x7f\x80\xa0\xc0\xe2\xed\xff'),
    *(text.encode() for text in ("\n\n", "— ", "\u2028", "\u0085", "\u00a0", "\u0660", "\ufeff")),
    *(b"\xed\xa0\x80", b"\\ud800", b"\\u0061", b"1e5", b"-0", b"1.0", b"NaN", b"true", b"null"),
    *(b"==", b"AAAA", b'"a":1,', b'"v":1', b"PRIVATE+KEY+", b"\r\n", b"9" * 20, b"e\xcc\x81"),
]


def mutants(good: tuple[str | bytes, ...], chosen: random.Random) -> Iterator[str | bytes]:
    """Yield damaged inputs, of one change mostly; text gets lone surrogates for broken UTF-8."""
    seeds = [one.encode() if isinstance(one, str) else one for one in good]
    for _ in range(ROUNDS):
        data = chosen.choice(seeds)
        for _ in range(chosen.choice((1, 1, 1, 2, 4))):
            data = changed(data, seeds, chosen)
        yield data.decode(errors="surrogateescape") if isinstance(good[0], str) else data


def changed(data: bytes, seeds: list[bytes], chosen: random.Random) -> bytes:
    start = chosen.randint(0, len(data))
    end = min(len(data), start + chosen.choice((0, 1, 1, 2, 4, 16)))
    match chosen.randrange(6):
        case 0:
            return data[:start] + chosen.choice(TOKENS) + data[end:]
        case 1:
            return data[:start] + data[start:end] * 2 + data[end:]
        case 2:
            return data[:start] + data[end:]
        case 3:
            turned = bytes(byte ^ 1 << chosen.randrange(8) for byte in data[start:end])
            return data[:start] + turned + data[end:]
        case 4:
            return data[:start] + data[start:end].swapcase() + data[end:]
        case _:
            other = chosen.choice(seeds)
            return data[:start] + other[chosen.randint(0, len(other)) :]


def is_read(parser: Parser, data: str | bytes) -> bool:
    """Say whether an input is read, which must be the one spelling of what it says."""
    try:
        value = parser.parse(data)
    except parser.refusal as refusal:
        assert len(str(refusal)) < MESSAGE
        return False
    assert parser.write(value) == data
    return True


@each_parser
def test_the_good_inputs_are_read_and_written_again(name: str) -> None:
    assert all(is_read(PARSERS[name], good) for good in PARSERS[name].good)


@each_parser
def test_a_damaged_input_is_refused_or_is_the_one_spelling_of_something(name: str) -> None:
    parser = PARSERS[name]

    read = [is_read(parser, data) for data in mutants(parser.good, random.Random(name))]

    assert len(read) == ROUNDS
    assert not all(read)


@each_parser
@PROPERTY
@given(st.data())
def test_any_input_is_refused_or_is_the_one_spelling_of_something(
    name: str, data: st.DataObject
) -> None:
    parser = PARSERS[name]
    any_text = st.text(st.characters(codec=None, exclude_categories=[]), max_size=80)
    likely = st.text('AaQq0179+/=-—_.\n\ud800\u2028\u0661 {}[]":,\\', max_size=80)
    text = data.draw(any_text | likely)

    if isinstance(parser.good[0], str):
        is_read(parser, text)
    else:
        is_read(parser, text.encode(errors="surrogatepass"))
        is_read(parser, data.draw(st.binary(max_size=80)))


names = st.text(st.characters(codec=None, exclude_categories=[]), max_size=8)


@PROPERTY
@given(names, st.integers(0, 255), st.binary(min_size=30, max_size=34) | st.just(bytes(32)))
def test_a_key_with_the_right_id_is_refused_or_is_the_one_spelling_of_itself(
    name: str, algorithm: int, key: bytes
) -> None:
    typed = bytes([algorithm]) + key
    named = name.encode(errors="surrogatepass") + b"\n" + typed
    text = f"{name}+{sha256(named).hexdigest()[:8]}+{base64.b64encode(typed).decode()}"

    is_read(PARSERS["public key"], text)
    is_read(PARSERS["private key"], "PRIVATE+KEY+" + text)


@PROPERTY
@given(
    st.text("a\n—é +", max_size=12),
    st.lists(st.tuples(st.text("—a é+\u00a0\u2028\ud800", max_size=6), st.binary(max_size=9))),
    st.sampled_from(["\n", "\r\n", "\n\n", ""]),
)
def test_lines_in_the_manner_of_a_note_are_refused_or_one_spelling(
    text: str, signatures: list[tuple[str, bytes]], end: str
) -> None:
    lines = [f"— {name} {base64.b64encode(data).decode()}{end}" for name, data in signatures]

    is_read(PARSERS["note of text"], f"{text}\n\n{''.join(lines)}")


def test_no_damaged_note_opens_with_another_text() -> None:
    verifiers, opened = [LOG.verifier, WITNESS.verifier], 0

    for damaged in mutants((NOTE.encode(),), random.Random(1)):
        try:
            read = note.open(damaged, verifiers)
        except note.NoteInvalid:
            continue
        opened += 1
        assert read.text == TEXT
        assert read.names <= {LOG.name, WITNESS.name}

    assert opened > 0


DEEP = {"lists": b"[" * MILLION, "objects": b'{"a":' * MILLION, "strings": b'["' * MILLION}
HOSTILE: dict[str, tuple[str, str | bytes]] = {
    **{f"deep {kind}": ("canonical", data) for kind, data in DEEP.items()},
    "a balanced million": ("canonical", b"[" * MILLION + b"]" * MILLION),
    "an integer of a million digits": ("canonical", b"9" * MILLION),
    "a negative one": ("canonical", b'{"a":-' + b"9" * MILLION + b"}"),
    "a fraction of a million digits": ("canonical", b"0." + b"1" * MILLION),
    "a double of a million digits": ("canonical", b"1" * MILLION + b".5e-9"),
    "an exponent of a million digits": ("canonical", b"1e" + b"9" * MILLION),
    "a million zeros": ("canonical", b"0" * MILLION),
    "a string of a megabyte": ("canonical", b'"' + b"x" * MILLION + b'"'),
    "a million escapes": ("canonical", b'"' + b"\\n" * MILLION + b'"'),
    "a million surrogates": ("canonical", b'"' + b"\\ud800" * MILLION + b'"'),
    "a million broken octets": ("canonical", b'"' + b"\xff" * MILLION + b'"'),
    "a key of a megabyte": ("canonical", b'{"' + b" " * MILLION + b'":1}'),
    "a long key twice": ("canonical", b'{"' + b'":1,"'.join([b"k" * MILLION] * 2) + b'":1}'),
    "a long key over many members": (
        "canonical",
        b'{"' + b"k" * MILLION + b'":[' + b",".join([b"1"] * MILLION) + b"]}",
    ),
    "a long key over a wrong member": ("canonical", b'{"' + b"k" * MILLION + b'":[1.5]}'),
    "one key a hundred thousand times": (
        "canonical",
        b"{" + b",".join([b'"a":1'] * 100_000) + b"}",
    ),
    "a leaf with a hash of a megabyte": ("leaf", LEAF.data.replace(b"ab", b"ab" * MILLION, 1)),
    "a leaf of a million members": ("leaf", b"{" + b",".join([b'"d":1'] * MILLION) + b"}"),
    "a million extensions": ("checkpoint", TEXT + "x\n" * MILLION),
    "a million empty lines": ("checkpoint", TEXT + "\n" * MILLION),
    "an origin of a megabyte": ("checkpoint", "o" * MILLION + TEXT),
    "a size of a million digits": ("checkpoint", TEXT.replace("\n7\n", f"\n{'9' * MILLION}\n")),
    "a root of a megabyte": ("checkpoint", f"o\n7\n{'A' * MILLION}\n"),
    "a root of padding": ("checkpoint", f"o\n7\n{'=' * MILLION}\n"),
    "a note of empty lines": ("note of bytes", b"\n" * (note.MAX_BYTES - 1)),
    "a note of too many bytes": ("note of bytes", b"\n" * (note.MAX_BYTES + 1)),
    "a note of dashes": ("note of bytes", b"a\n\n" + "— ".encode() * 200_000 + b"\n"),
    "a note of signatures": ("note of text", "a\n\n" + "— a AAAAAAA=\n" * 60_000),
    "a name of a megabyte": ("note of text", f"a\n\n— {'a' * 900_000} AAAA\n"),
    "a signature of a megabyte": ("note of text", f"a\n\n— a {'A' * 900_000}=\n"),
    "a key with a long name": ("public key", "a" * MILLION + LOG.verifier.vkey),
    "a key with a name of spaces": ("public key", " " * MILLION + LOG.verifier.vkey),
    "a key with a long ID": ("public key", f"a+{'00' * MILLION}+AQ=="),
    "a key of plus signs": ("public key", "+" * MILLION),
    "a public key of a megabyte": ("public key", f"a+00000000+{'A' * MILLION}"),
    "a private key with a long name": ("private key", f"PRIVATE+KEY+{'a' * MILLION}+00000000+AQ=="),
    "base64 of padding": ("base64", "=" * MILLION),
    "base64 of surrogates": ("base64", "\ud800" * MILLION),
    "base64 of spaces": ("base64", "QQ==" + " " * MILLION),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_input_is_answered_in_bounded_time(name: str) -> None:
    parser, data = HOSTILE[name]
    started = time.process_time()

    is_read(PARSERS[parser], data)

    assert time.process_time() - started < SECONDS


def test_a_value_that_holds_itself_is_refused() -> None:
    endless: list[Any] = []
    endless.append(endless)

    with pytest.raises(NotCanonical, match="nested deeper"):
        canonical.dumps(endless)


def test_the_place_in_a_refusal_is_whole_but_for_long_keys() -> None:
    with pytest.raises(NotCanonical) as refusal:
        canonical.dumps({"a": [0, {"b": {"k" * 1000: 1.5}}]})  # type: ignore[dict-item]

    assert refusal.value.path == f"$.a[1].b.{'k' * canonical.MAX_SHOWN}…"
