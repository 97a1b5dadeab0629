"""A reason that says nothing is none (21 CFR 11.10(e); EU GMP Annex 11, 9)."""

import pytest

from compliance.trail import recording
from compliance.trail.recording import ReasonNotMeaningful


@pytest.mark.requirement("A11-9")
@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "x",
        "D",
        ".",
        "ok",
        "........",
        "aaaaaaaaaa",
        "Correction",
        "see above.",
        "no reason!",
        "\u200b\u200c\u200d\u2060\u200b\u200c\u200d\u2060",  # nobody sees any of it
        "ok\u200b\u200c\u200d\u2060\ufeff\u200b",
        "n\u200bo\u200d rea\u2060son",
        "released \u202eton\u202c as agreed",  # reads otherwise than it is stored
        "lot \u2067A-1\u2069 was weighed again",
    ],
)
def test_an_empty_phrase_is_refused(text: str) -> None:
    with pytest.raises(ReasonNotMeaningful):
        recording.demand_reason(text)


@pytest.mark.requirement("A11-9")
def test_a_reason_that_says_something_is_kept_without_its_padding() -> None:
    hindi = "\u092e\u093e\u092a \u0917\u0932\u0924 \u092a\u0922\u093c\u093e \u0917\u092f\u093e"
    assert recording.demand_reason(hindi) == hindi
    assert recording.demand_reason("  the scale was\n read wrong ") == "the scale was read wrong"
