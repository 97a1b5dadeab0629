import pytest
import segno

from compliance.reports import qr


def test_the_bars_are_the_dark_modules_of_the_code() -> None:
    text = "https://gmp.example.org/verify/9f86d081"
    rows = list(segno.make_qr(text, error="m", boost_error=False).matrix_iter(border=2))
    side = float(len(rows))

    bars = qr.bars(text, side=side)

    dark = {
        (round(bar.x) + step, len(rows) - 1 - round(bar.y))
        for bar in bars
        for step in range(round(bar.width))
    }
    assert dark == {
        (column, row) for row, cells in enumerate(rows) for column, on in enumerate(cells) if on
    }


def test_a_text_that_no_code_holds_is_refused() -> None:
    with pytest.raises(qr.VerifyTextTooLong):
        qr.bars("x" * 4000, side=50.0)
