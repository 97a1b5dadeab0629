"""The digest of a batch's content is the same for the same data, and for nothing else."""

from decimal import Decimal

import pytest

from twins.models.qualification import contents
from twins.models.qualification.contents import RowsUnreadable

ROWS: list[dict[str, object]] = [
    {"batch_id": "B-1", "hour": 0, "ph": "7.10"},
    {"batch_id": "B-1", "hour": 1, "ph": "6.90"},
]


@pytest.mark.requirement("A22-6")
def test_neither_the_order_of_rows_nor_the_name_of_the_batch_changes_the_digest() -> None:
    renamed = [{**row, "batch_id": "other"} for row in reversed(ROWS)]

    assert contents.digest(renamed) == contents.digest(ROWS)


def test_numbers_count_by_their_value() -> None:
    written = [{"ph": 7.1, "hour": Decimal("0.0")}, {"hour": "1E0", "ph": "6.9"}]

    assert contents.digest(written) == contents.digest(ROWS)


@pytest.mark.parametrize(
    "rows",
    [
        ROWS[:1],
        [*ROWS, ROWS[0]],
        [{**ROWS[0], "ph": "7.11"}, ROWS[1]],
        [{**ROWS[0], "ph": None}, ROWS[1]],
        [{"hour": 0, "pH": "7.10"}, ROWS[1]],
    ],
)
def test_other_content_has_another_digest(rows: list[dict[str, object]]) -> None:
    assert contents.digest(rows) != contents.digest(ROWS)


@pytest.mark.parametrize("rows", [[], [{}], [{"batch": "B-1"}], [{"ph": [7]}]])
def test_rows_without_content_are_refused(rows: list[dict[str, object]]) -> None:
    with pytest.raises(RowsUnreadable):
        contents.digest(rows)


def test_means_are_of_what_is_measured() -> None:
    assert contents.means([*ROWS, {"hour": 5, "note": "ok"}]) == {"hour": 2.0, "ph": 7.0}
