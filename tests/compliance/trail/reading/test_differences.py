"""Differences are marked where they are, numbers and texts are shown as typed."""

import json

import pytest

from compliance.trail import differences, words
from compliance.trail.differences import Kind, Line


def marks(old: object, new: object) -> tuple[list[str], list[str]]:
    one = differences.of_field("field", old, new)
    return (
        [piece.text for piece in one.old or () if piece.mark == "removed"],
        [piece.text for piece in one.new or () if piece.mark == "added"],
    )


@pytest.mark.parametrize(
    ("old", "new", "removed", "added"),
    [
        ("The pump was worn", "The pump was replaced", ["worn"], ["replaced"]),
        ("12.5", "12.50", ["12.5"], ["12.50"]),
        ("dose 12.5 mg/L given", "dose 12.50 mg/L given", ["12.5 mg/L"], ["12.50 mg/L"]),
        ("at 36.5 °C", "at 36.5 °F", ["36.5 °C"], ["36.5 °F"]),
        ("6 of 10", "7 of 10", ["6"], ["7"]),
        ("-3 days", "3 days", ["-3"], ["3"]),
        ("1.5e-3 mol", "1.5e-4 mol", ["1.5e-3 mol"], ["1.5e-4 mol"]),
        ("same", "same ", [], [" "]),
    ],
)
def test_the_words_that_differ_are_marked_and_a_number_is_one_word_with_its_unit(
    old: str, new: str, removed: list[str], added: list[str]
) -> None:
    assert marks(old, new) == (removed, added)


@pytest.mark.parametrize(
    ("old", "new"), [("a  b\tc", "a b\nc"), ("", "x"), ("ß", "ss"), ("٣", "3")]
)
def test_the_pieces_of_a_side_are_the_whole_text(old: str, new: str) -> None:
    one = differences.of_field("field", old, new)

    assert differences.plain(one.old) == old
    assert differences.plain(one.new) == new


def test_what_cannot_be_seen_is_shown_by_its_code() -> None:
    assert marks("released", "rele\u200based") == (["released"], ["rele⟨U+200B⟩ased"])
    assert marks("a", "a\u202eb") == ([], ["⟨U+202E⟩b"])


def test_letters_of_another_alphabet_are_named() -> None:
    remark = differences.of_field("field", "OOS", "О\u041eS").remark

    assert "U+004F" in remark
    assert "U+041E" in remark
    assert "look alike" in differences.of_field("field", "ﬁt", "fit").remark
    assert differences.of_field("field", "open", "shut").remark == ""


def test_documents_are_compared_by_their_structure() -> None:
    old = {"limits": [{"low": "1.0"}, {"low": "2.0"}], "name": "pH", "gone": True}
    new = {"limits": [{"low": "0.5"}, {"low": "1.0"}, {"low": "2.0"}], "name": "pH", "new": None}

    one = differences.of_field("field", json.dumps(old), json.dumps(new))

    assert one.kind is Kind.DOCUMENT
    assert one.lines == (
        Line(path="gone", old="true", new=None),
        Line(path="limits[0]", old=None, new='{"low": "0.5"}'),
        Line(path="new", old=None, new="null"),
    )


def test_true_is_not_one_and_the_digits_of_a_document_stay_as_typed() -> None:
    lines = differences.of_field("f", '{"a":1,"b":1.50}', '{"a":true,"b":1.5}').lines

    assert lines == (Line(path="a", old="1", new="true"), Line(path="b", old="1.50", new="1.5"))


def test_a_commitment_is_protected_and_opened_only_with_its_value() -> None:
    closed = differences.of_field("email", {"c": None}, {"c": "ab" * 32})
    opened = differences.of_field("email", {"c": None}, {"c": "ab" * 32}, opened="a@b.example")

    assert (closed.kind, differences.plain(closed.old), differences.plain(closed.new)) == (
        Kind.PROTECTED, "protected", "protected",
    )  # fmt: skip
    assert "ab" * 32 in closed.remark
    assert differences.plain(opened.new) == "a@b.example"


def test_a_field_that_is_equal_in_both_is_left_out_and_nothing_is_not_empty() -> None:
    found = differences.between({"a": "1", "b": None, "c": "x"}, {"a": "1", "b": "", "d": None})

    assert [one.field for one in found] == ["b", "c", "d"]
    assert (found[0].old, differences.plain(found[0].new)) == (None, "")
    assert found[1].new is None


def test_long_values_are_folded_and_huge_ones_keep_nobody_waiting() -> None:
    long = "The probe and the laboratory agree. " * 20_000

    one = differences.of_field("field", long, long + "Not.")

    assert one.is_long
    assert differences.plain(one.new) == long + "Not."
    assert not differences.of_field("field", "short", "shorter").is_long


def test_a_document_nested_to_break_readers_is_shown_as_text() -> None:
    deep = "[" * 50_000 + "]" * 50_000

    assert differences.of_field("field", deep, "[]").kind is Kind.TEXT


@pytest.mark.parametrize("sign", ["\u034f", "\u3164", "\u2800", "\ufe0f", "\U000e0101", "\u200d"])
def test_a_letter_that_shows_nothing_is_shown_by_its_code(sign: str) -> None:
    assert marks("ab", f"a{sign}b")[1][-1].count(f"⟨U+{ord(sign):04X}⟩") == 1


def test_a_code_that_somebody_wrote_is_not_taken_for_the_character() -> None:
    assert words.visible("a⟨U+202E⟩b") == "a⟨U+27E8⟩U+202E⟩b"
    assert words.visible("a\u202eb") == "a⟨U+202E⟩b"
