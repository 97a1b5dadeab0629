"""Each kind of dirt in a table is read by a declared rule, or is a problem; nothing is guessed."""

from collections.abc import Mapping
from typing import Any

import pytest

from batches.exchange.formats import declared, tables
from batches.exchange.formats.contents import Content, ResultSaid

DECLARED: dict[str, Any] = {
    "kind": "csv", "makes": "results", "encoding": "utf-8", "newline": "lf", "time_format": "iso",
    "zone": "offset",
    "columns": [
        {"name": "at", "field": "at"},
        {"name": "sample", "field": "sample"},
        {"name": "v", "field": "measure", "tag": "purity", "unit": "%"},
    ],
}  # fmt: skip
ROW = "at,sample,v\n2026-03-02T12:00:00+01:00,S-1,10.00\n"


def _with(**changed: Any) -> dict[str, Any]:
    """Return the declaration with changes; `v` changes the measured column."""
    measured = changed.pop("v", {})
    made = {**DECLARED, **changed}
    made["columns"] = [
        {**one, **measured} if one.get("name") == "v" else one for one in made["columns"]
    ]
    return made


def _read(text: str | bytes, definition: Mapping[str, Any] = DECLARED) -> Content:
    data = text.encode() if isinstance(text, str) else text
    return tables.read(data, declared.parse(definition), kind=str(definition["kind"]))


def _value(content: Content) -> tuple[str, str]:
    assert content.report.is_clean, content.report.problems
    (item,) = content.items
    assert isinstance(item, ResultSaid)
    return item.value, item.measured_at


def test_a_clean_table_is_read_as_it_is_written() -> None:
    content = _read(ROW)

    assert _value(content) == ("10.00", "2026-03-02T11:00:00+00:00")


@pytest.mark.parametrize(
    ("before", "after", "code", "rule"),
    [
        ("10.00", "10.00%", "percent-sign", {"v": {"percent_sign": True}}),
        ("10.00", "10,00", "row-length", None),
        ("10.00", " 10.00 ", "padded", {"trim": True}),
        ("10.00", "N/A", "number-unreadable", None),
        ("10.00", "<10", "number-unreadable", None),
        ("10.00", "1.000,00", "row-length", None),
        ("10.00", "", "number-unreadable", None),
        ("+01:00", "", "time-unreadable", {"zone": "Europe/Paris"}),
        ("\n", "\r\n", "newline-differs", {"newline": "crlf"}),
        ("2026-03-02T12:00:00+01:00", "3/2/2026 12:00:00", "time-unreadable",
         {"time_format": "%m/%d/%Y %H:%M:%S", "zone": "Europe/Paris"}),
    ],
)  # fmt: skip
@pytest.mark.requirement("211-68b", "A11D-10")
def test_dirt_is_a_problem_until_a_rule_is_declared(
    before: str, after: str, code: str, rule: dict[str, Any] | None
) -> None:
    text = ROW.replace(before, after)

    assert code in _read(text).report.problem_codes()
    if rule is not None:
        content = _read(text, _with(**rule))
        assert content.report.is_clean, content.report.problems
        assert _value(content) == ("10.00", "2026-03-02T11:00:00+00:00")
        assert content.report.counts["changed"] or code == "newline-differs"


@pytest.mark.parametrize("written", ["N/A", ""])
def test_what_is_declared_to_mean_not_measured_is_left_out_and_said(written: str) -> None:
    text = ROW + f"2026-03-02T13:00:00+01:00,S-2,{written}\n"

    content = _read(text, _with(v={"missing": [written]}))

    assert _value(content) == ("10.00", "2026-03-02T11:00:00+00:00")
    notes = [one["note"] for one in content.report.as_json()["changed"]]  # type: ignore[attr-defined]
    assert any("not measured" in note for note in notes)
    assert _read(text).report.problem_codes() == {"number-unreadable"}


def test_a_table_whose_every_value_is_missing_is_no_success() -> None:
    content = _read(ROW.replace("10.00", "N/A"), _with(v={"missing": ["N/A"]}))

    assert content.items == ()
    assert content.report.problem_codes() == {"nothing-mapped"}


@pytest.mark.parametrize(
    ("encoding", "written"),
    [("utf-8", "utf-8-sig"), ("utf-8", "utf-16"), ("utf-8-sig", "utf-8"), ("utf-16", "utf-8"),
     ("utf-8", "cp1252"), ("utf-8", "utf-16-le")],
)  # fmt: skip
def test_another_encoding_than_the_declared_one_is_a_problem(encoding: str, written: str) -> None:
    text = ROW.replace("sample", "sämple")
    columns = [
        {**one, "name": one["name"].replace("sample", "sämple")} for one in DECLARED["columns"]
    ]

    wrong = _read(text.encode(written), _with(encoding=encoding, columns=columns))
    right = _read(text.encode(encoding), _with(encoding=encoding, columns=columns))

    assert "encoding-differs" in wrong.report.problem_codes()
    assert _value(right)[0] == "10.00"


def test_the_two_micro_signs_are_two_columns() -> None:
    columns = [*DECLARED["columns"], {"name": "d (\u00b5m)", "field": "ignore"}]
    text = ROW.replace(",v", ",v,d (\u03bcm)").replace("10.00", "10.00,5")

    content = _read(text, _with(columns=columns))

    assert content.report.problem_codes() == {"column-undeclared", "column-missing"}


def test_a_month_first_date_is_read_by_its_declared_form_only() -> None:
    text = ROW.replace("2026-03-02T12:00:00+01:00", "03/02/2026 12:00")
    month = _with(time_format="%m/%d/%Y %H:%M", zone="Europe/Paris")
    day = _with(time_format="%d/%m/%Y %H:%M", zone="Europe/Paris")

    assert _value(_read(text, month))[1] == "2026-03-02T11:00:00+00:00"
    assert _value(_read(text, day))[1] == "2026-02-03T11:00:00+00:00"
    assert "time-unreadable" in _read(text).report.problem_codes()


@pytest.mark.parametrize("shown", ["2026-03-29T02:30:00", "2026-10-25T02:30:00"])
def test_the_hour_that_a_clock_skips_or_repeats_is_a_problem(shown: str) -> None:
    text = ROW.replace("2026-03-02T12:00:00+01:00", shown)

    content = _read(text, _with(zone="Europe/Paris"))

    assert content.report.problem_codes() == {"time-unreadable"}


def test_a_decimal_comma_is_read_where_it_is_declared() -> None:
    text = ROW.replace(",", ";").replace("10.00", "10,00")
    semicolons = _with(delimiter=";", decimal_mark=",")

    assert _value(_read(text, semicolons))[0] == "10.00"
    assert (
        "number-unreadable"
        in _read(text.replace("10,00", "10.00"), semicolons).report.problem_codes()
    )


def test_columns_that_nobody_declared_and_rows_of_another_length_are_problems() -> None:
    assert _read(ROW.replace("v\n", "w\n")).report.problem_codes() == {
        "column-undeclared", "column-missing",
    }  # fmt: skip
    assert _read(ROW.replace(",S-1", "")).report.problem_codes() == {"row-length"}
    assert _read(ROW.replace("sample,v", "v,v")).report.problem_codes() >= {"column-twice"}
    assert _read(ROW + '"open').report.problem_codes() >= {"row-unreadable"}


def test_lines_of_json_are_read_with_their_digits() -> None:
    lines = {**DECLARED, "kind": "ndjson"}
    good = '{"at":"2026-03-02T12:00:00+01:00","sample":"S-1","v":10.00}\n'

    assert _value(_read(good, lines)) == ("10.00", "2026-03-02T11:00:00+00:00")
    for bad, code in (
        (good.replace("}", ',"x":1}'), "column-undeclared"),
        (good.replace('"v"', '"sample"'), "row-unreadable"),
        (good.replace("10.00", "true"), "value-unreadable"),
        ("[]\n", "row-unreadable"),
    ):
        assert code in _read(bad, lines).report.problem_codes()


@pytest.mark.parametrize(
    "changed",
    [
        {"kind": "excel"}, {"zone": "Paris"}, {"encoding": "utf-7"}, {"odd": 1}, {"trim": "yes"},
        {"time_format": "%d/%m/%y"}, {"columns": []}, {"columns": [{"field": "at"}]},
        {"decimal_mark": ","},
        {"v": {"field": "sample"}}, {"v": {"tag": ""}}, {"v": {"unit": ""}}, {"v": {"odd": 1}},
    ],
)  # fmt: skip
def test_a_declaration_that_leaves_a_question_open_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(declared.DeclarationInvalid):
        declared.parse(_with(**changed))


def test_a_table_without_a_mapping_is_a_problem() -> None:
    assert tables.read(ROW.encode(), None, kind="csv").report.problem_codes() == {"mapping-missing"}
