"""What is measured of warnings counts what came."""

from tests.twins.models.penicillin_fed_batch import crossed
from tests.twins.models.penicillin_fed_batch.crossed import Asked

SURE = [Asked("P", 0.9, 10.0, 12.0)] * 9 + [Asked("P", 0.9, 10.0, None)]
SAFE = [Asked("P", 0.1, None, None)] * 9 + [Asked("P", 0.1, None, 30.0)]


def test_stated_probabilities_that_come_true_have_no_error() -> None:
    *bins, summary = crossed.reliability(SURE + SAFE, 0.5)

    assert len(bins) == 2
    assert "said 0.900, crossed 0.900 of 10" in bins[1]
    for said in ("Brier 0.0900, of the usual share 0.2500", "ECE 0.000", "warned 10",
                 "precision 0.900, recall 0.900", "off the stated lead by 2.0 h"):  # fmt: skip
        assert said in summary


def test_what_never_comes_is_an_error() -> None:
    summary = crossed.reliability([Asked("P", 0.9, 10.0, None)] * 4, 0.1)[-1]

    assert "ECE 0.900" in summary
    assert "precision 0.000" in summary
