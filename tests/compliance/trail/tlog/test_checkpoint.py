"""Test the body of a checkpoint."""

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.trail.tlog import merkle
from compliance.trail.tlog.checkpoint import MAX_SIZE, Checkpoint, CheckpointInvalid

PROPERTY = settings(derandomize=True, deadline=None, database=None, max_examples=150)

ROOT = bytes(range(32))
ENCODED = base64.b64encode(ROOT).decode()
TEXT = f"plant.example/log\n7\n{ENCODED}\n"

lines = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=10)


@PROPERTY
@given(lines, st.integers(1, MAX_SIZE), st.binary(min_size=32, max_size=32), st.lists(lines))
def test_a_checkpoint_is_read_back_from_its_text(
    origin: str, size: int, root: bytes, extensions: list[str]
) -> None:
    checkpoint = Checkpoint(origin=origin, size=size, root=root, extensions=tuple(extensions))

    assert Checkpoint.parse(checkpoint.text()) == checkpoint


def test_the_text_is_three_lines() -> None:
    assert Checkpoint(origin="plant.example/log", size=7, root=ROOT).text() == TEXT


def test_extension_lines_follow_and_are_kept() -> None:
    checkpoint = Checkpoint.parse(TEXT + "one\ntwo lines\n")

    assert checkpoint.extensions == ("one", "two lines")
    assert checkpoint.text() == TEXT + "one\ntwo lines\n"


def test_an_empty_log_has_the_empty_root() -> None:
    empty = Checkpoint(origin="o", size=0, root=merkle.EMPTY_ROOT)

    assert Checkpoint.parse(empty.text()) == empty
    with pytest.raises(CheckpointInvalid, match="empty tree"):
        Checkpoint(origin="o", size=0, root=ROOT)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "plant.example/log\n7\n",
        TEXT[:-1],
        "\n" + TEXT,
        TEXT + "\n",
        TEXT + "extension",
        TEXT + "one\n\ntwo\n",
        TEXT.replace("\n", "\r\n"),
        TEXT.replace("log", "l\x00g"),
        TEXT.replace("log", "l\ud800g"),
        TEXT.replace("\n7\n", "\n07\n"),
        TEXT.replace("\n7\n", "\n+7\n"),
        TEXT.replace("\n7\n", "\n-7\n"),
        TEXT.replace("\n7\n", "\n7 \n"),
        TEXT.replace("\n7\n", "\n7_0\n"),
        TEXT.replace("\n7\n", "\n0x7\n"),
        TEXT.replace("\n7\n", "\n\N{ARABIC-INDIC DIGIT SEVEN}\n"),
        TEXT.replace("\n7\n", "\n\n"),
        TEXT.replace("\n7\n", "\n00\n"),
        TEXT.replace("\n7\n", "\n0\n"),
        TEXT.replace("\n7\n", f"\n{MAX_SIZE + 1}\n"),
        TEXT.replace("\n7\n", "\n" + "9" * 5000 + "\n"),
        TEXT.replace(ENCODED, ENCODED[:-1]),
        TEXT.replace(ENCODED, ENCODED[:-2] + "9="),
        TEXT.replace(ENCODED, ENCODED + " "),
        TEXT.replace(ENCODED, ROOT.hex()),
        TEXT.replace(ENCODED, base64.b64encode(ROOT[:31]).decode()),
        TEXT.replace(ENCODED, base64.b64encode(ROOT + b"\x00").decode()),
        TEXT.replace(ENCODED, ""),
    ],
)
def test_another_form_is_no_checkpoint(text: str) -> None:
    assert Checkpoint.parse(TEXT).size == 7

    with pytest.raises(CheckpointInvalid):
        Checkpoint.parse(text)


@pytest.mark.parametrize(
    ("origin", "size", "root", "extensions"),
    [
        ("", 1, ROOT, ()),
        ("two\nlines", 1, ROOT, ()),
        ("o", -1, ROOT, ()),
        ("o", MAX_SIZE + 1, ROOT, ()),
        ("o", 1, ROOT[:31], ()),
        ("o", 1, ROOT, ("",)),
        ("o", 1, ROOT, ("a\n",)),
    ],
)
def test_values_that_the_text_cannot_hold_are_refused(
    origin: str, size: int, root: bytes, extensions: tuple[str, ...]
) -> None:
    with pytest.raises(CheckpointInvalid):
        Checkpoint(origin=origin, size=size, root=root, extensions=extensions)


@PROPERTY
@given(st.text(max_size=60) | st.text("0123456789\nAQ=+/", max_size=60))
def test_any_text_is_a_checkpoint_or_refused(text: str) -> None:
    try:
        checkpoint = Checkpoint.parse(text)
    except CheckpointInvalid:
        return

    assert checkpoint.text() == text
