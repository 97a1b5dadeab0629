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
    ],
)
def test_an_empty_phrase_is_refused(text: str) -> None:
    with pytest.raises(ReasonNotMeaningful):
        recording.demand_reason(text)


@pytest.mark.requirement("A11-9")
def test_a_reason_that_says_something_is_kept_without_its_padding() -> None:
    assert recording.demand_reason("  the scale was\n read wrong ") == "the scale was read wrong"
