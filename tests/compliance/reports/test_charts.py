"""Charts as drawings and as SVG."""

import itertools
import math
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import pytest

from compliance.reports import charts, frames, palette
from compliance.reports.drawing import Area, Dot, Drawing, Label, Path

AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
CURVE = 1.0


def _texts(drawing: Drawing) -> list[str]:
    return [shape.text for shape in drawing.shapes if isinstance(shape, Label)]


def _curves(drawing: Drawing) -> list[Path]:
    return [
        shape
        for shape in drawing.shapes
        if isinstance(shape, Path) and shape.width == CURVE and shape.stroke in palette.SERIES
    ]


def test_a_limit_is_drawn_and_named_with_its_value() -> None:
    drawing = charts.time_series(
        [charts.Series("pH", [(0.0, 7.0), (1.0, 7.1)])],
        limits=[charts.Limit("upper", 7.4), charts.Limit("x" * 300, 6.8)],
        title="pH",
        unit="pH",
    )

    lines = [s for s in drawing.shapes if isinstance(s, Path) and s.stroke == palette.ALARM]
    names = [s for s in drawing.shapes if isinstance(s, Label) and s.fill == palette.ALARM]

    assert len(lines) == 2
    assert any(name.text == "upper 7.4" for name in names)
    assert any(name.text.endswith("… 6.8") for name in names)
    assert all(name.x > max(x for x, _ in lines[0].points) for name in names)


def test_what_the_fonts_lack_is_spelled_out_in_every_name_of_a_chart() -> None:
    drawing = charts.time_series(
        [charts.Series("p\x0bH", [(0.0, 7.0), (1.0, 7.1)])],
        limits=[charts.Limit("upper\x07", 7.4)],
        marks=[charts.Mark("feed\u200b", 0.5)],
        title="pH\x0b",
        unit="\U0001f4dd",
    )

    said = " ".join(_texts(drawing))
    for shown in (
        "pH⟦U+000B⟧",
        "upper⟦U+0007⟧",
        "feed⟦U+200B ZERO WIDTH SPACE⟧",
        "⟦U+1F4DD MEMO⟧",
    ):
        assert shown in said


def test_limits_that_lie_together_keep_their_names_apart() -> None:
    drawing = charts.time_series(
        [charts.Series("v", [(0.0, 0.0), (1.0, 100.0)])],
        limits=[charts.Limit(f"limit {n}", 70 + n / 10) for n in range(4)],
        title="t",
        unit="",
    )

    heights = sorted(
        s.y for s in drawing.shapes if isinstance(s, Label) and s.fill == palette.ALARM
    )

    assert all(b - a >= frames.LANE - 1e-9 for a, b in itertools.pairwise(heights))


def test_a_spike_in_many_points_is_drawn() -> None:
    points = [(float(n), 50.0 if n == 77_777 else 1.0) for n in range(100_000)]

    drawing = charts.time_series([charts.Series("v", points)], title="t", unit="")

    (curve,) = _curves(drawing)
    assert len(curve.points) < 3000
    assert max(y for _, y in curve.points) - min(y for _, y in curve.points) > 80


def test_a_gap_breaks_the_curve_and_a_lone_point_is_a_dot() -> None:
    series = charts.Series("v", [(0, 1), (1, 2), (2, math.nan), (3, 1), (9, 2), (10, 2)], gap=3)

    drawing = charts.time_series([series], title="t", unit="")

    assert len(_curves(drawing)) == 2
    assert sum(isinstance(shape, Dot) for shape in drawing.shapes) == 1


def test_a_forecast_is_a_band_with_a_dashed_median() -> None:
    band = charts.Band([(float(h), 1.0, 2.0, 4.0) for h in range(5)])

    drawing = charts.time_series([], band=band, title="t", unit="")

    assert sum(isinstance(shape, Area) for shape in drawing.shapes) == 2  # band and its sample
    assert any(
        isinstance(s, Path) and s.dash == (3, 2) and len(s.points) == 5 for s in drawing.shapes
    )
    assert "forecast: median, 5–95 %" in _texts(drawing)


def test_a_second_forecast_beside_it_is_an_outline() -> None:
    band = charts.Band([(float(h), 1.0, 2.0, 4.0) for h in range(5)], name="with the move")
    other = charts.Band([(float(h), 0.0, 1.0, 3.0) for h in range(5)], name="as is")

    drawing = charts.time_series([], band=band, beside=other, title="t", unit="")

    assert sum(isinstance(shape, Area) for shape in drawing.shapes) == 2  # the first band's only
    outline = [s for s in drawing.shapes if isinstance(s, Path) and s.stroke == palette.BESIDE]
    assert sum(len(one.points) == 5 for one in outline) == 3
    assert {"with the move: median, 5–95 %", "as is: median, 5–95 %"} <= set(_texts(drawing))


@pytest.mark.parametrize(
    "points",
    [[], [(1.0, math.nan)], [(5.0, 7.0)], [(0.0, 7.0), (9.0, 7.0)], [(3.0, 1.0), (3.0, 2.0)]],
)
def test_little_or_no_data_still_makes_a_whole_chart(points: list[tuple[float, float]]) -> None:
    drawing = charts.time_series(
        [charts.Series("v", points)], limits=[charts.Limit("max", 9.0)], title="t", unit="u"
    )

    has_data = any(math.isfinite(y) for _, y in points)
    assert ("no readings recorded" in _texts(drawing)) is not has_data
    assert "max 9" in _texts(drawing)
    assert ("no readings recorded" in drawing.description) is not has_data


def test_names_of_events_do_not_overlap_and_none_is_lost() -> None:
    marks = [charts.Mark(f"event with a name {n}", n / 50) for n in range(30)]

    drawing = charts.time_series(
        [charts.Series("v", [(0.0, 1.0), (1.0, 2.0)])], marks=marks, title="t", unit=""
    )

    texts = " ".join(_texts(drawing))
    assert all(f"{n + 1} event with a name {n}" in texts for n in range(30))
    lines = [s for s in drawing.shapes if isinstance(s, Path) and s.dash == (1, 1.5)]
    assert len(lines) == 30


def test_everything_stands_within_the_drawing() -> None:
    marks = [charts.Mark(f"e{n}", AT + timedelta(hours=n)) for n in range(6)]
    points = [(AT + timedelta(hours=n), 1e6 * n) for n in range(48)]

    drawing = charts.time_series(
        [charts.Series(f"series {n}", points) for n in range(12)],
        limits=[charts.Limit("limit", 3e6)],
        marks=marks,
        title="A title " * 30,
        unit="cells/mL",
    )

    for shape in drawing.shapes:
        places = shape.points if isinstance(shape, Path | Area) else [(shape.x, shape.y)]
        assert all(
            -1 <= x <= drawing.width + 1 and -1 <= y <= drawing.height + 1 for x, y in places
        )


def test_datetimes_and_numbers_are_not_mixed_and_zones_are_wanted() -> None:
    with pytest.raises(ValueError, match="not both"):
        charts.time_series([charts.Series("v", [(AT, 1.0), (2.0, 1.0)])], title="t", unit="")
    with pytest.raises(ValueError, match="no time zone"):
        charts.time_series(
            [charts.Series("v", [(AT.replace(tzinfo=None), 1.0)])], title="t", unit=""
        )


def test_svg_fetches_nothing_runs_nothing_and_says_what_it_shows() -> None:
    drawing = charts.time_series(
        [charts.Series("<script>alert(1)</script> & co", [(0.0, 1.0), (1.0, 2.0)])],
        limits=[charts.Limit("a < b", 2.0)],
        title='Say "pH" & <more>',
        unit="pH",
    )

    root = ElementTree.fromstring(charts.to_svg(drawing))

    names = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert names <= {"svg", "title", "desc", "polyline", "polygon", "circle", "text"}
    assert [child.tag.rpartition("}")[2] for child in root][:2] == ["title", "desc"]
    assert root[0].text == 'Say "pH" & <more>'
    assert "Limit a < b 2." in (root[1].text or "")
    attributes = {name for element in root.iter() for name in element.attrib}
    assert not {"style", "href", "class", "onload"} & attributes


def test_the_same_chart_gives_the_same_svg() -> None:
    def made() -> bytes:
        series = charts.Series("v", [(AT + timedelta(seconds=n), n % 7) for n in range(5000)])
        return charts.to_svg(charts.time_series([series], title="t", unit="u"))

    assert made() == made()
