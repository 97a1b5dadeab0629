import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.reports import typefaces

FACE, SIZE = typefaces.REGULAR, 8.0


def _wrapped(text: str, room: float) -> list[str]:
    return typefaces.wrapped(text, face=FACE, size=SIZE, room=room)


@given(st.text(alphabet="abcW §µ→≤ł \n-", max_size=120), st.floats(min_value=12, max_value=300))
def test_wrapping_loses_nothing_but_spaces_and_keeps_to_the_room(text: str, room: float) -> None:
    lines = _wrapped(text, room)

    assert "".join(lines).replace(" ", "") == text.replace(" ", "").replace("\n", "")
    assert all(typefaces.width(line, face=FACE, size=SIZE) <= room + 1e-6 for line in lines)


def test_a_line_feed_begins_a_line_and_empty_lines_stay() -> None:
    assert _wrapped("one\r\n\nthree", 200) == ["one", "", "three"]


def test_a_character_of_the_second_font_is_drawn_with_it() -> None:
    runs = list(typefaces.runs("5 ≤ 7 → ok", face=typefaces.BOLD))

    assert runs == [
        (typefaces.BOLD, "5 "),
        (typefaces.FALLBACK, "≤"),
        (typefaces.BOLD, " 7 "),
        (typefaces.FALLBACK, "→"),
        (typefaces.BOLD, " ok"),
    ]


def test_an_accent_that_composes_is_drawn_as_one_character() -> None:
    assert typefaces.composed("e\u0301") == "é"


@pytest.mark.parametrize(
    "text",
    [
        "\U0001f4dd",  # in no shipped font
        "q\u0301",  # a combining accent that composes with nothing
        "\u05d0",  # Hebrew
        "\u0627",  # Arabic
        "\u0915",  # Devanagari
        "a\u202eb",  # turns the reading order round
        "a\u200bb",  # invisible
        "a\x07b",
        "\ue000",
    ],
)
def test_what_would_come_out_wrong_is_refused_by_name(text: str) -> None:
    with pytest.raises(typefaces.GlyphMissing, match=r"U\+[0-9A-F]{4,5} \(") as refused:
        typefaces.wrapped(typefaces.composed(text), face=FACE, size=SIZE, room=100)

    assert refused.value.code == "glyph-missing"
    assert not all(typefaces.can_print(character) for character in text)


def test_a_word_that_is_too_long_is_broken_behind_its_signs() -> None:
    assert _wrapped("viable_cells_1e6_per_ml", 60) == ["viable_cells_", "1e6_per_ml"]
    assert _wrapped("batches/execution/recorded", 50) == ["batches/", "execution/", "recorded"]
    assert len(_wrapped("x" * 40, 60)) > 1
