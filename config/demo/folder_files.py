"""Read and check every file of a folder before anything of it is posted."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from rest_framework import serializers

from batches.exchange.api.posted import EventIn
from batches.exchange.folders import Found
from batches.exchange.formats import deviation_report_md, mes_log_csv, series_parquet
from batches.execution import batches, events
from batches.recipes.models import MasterRecipe
from compliance.quality.messages.deviations import ImportIn
from compliance.refusals import Refused

# The vial log gives no zone; the plant's records are in Spanish initials (OP_ES). The zone is an
# assumption, and every event says so (is_zone_assumed).
ASSUMED_ZONE = "Europe/Madrid"
MOST_BATCHES = 2
_COLUMNS = {
    "occurred_at": "Timestamp", "phase": "Step", "performed_by": "Operator",
    "value": "Value_Measured", "unit": "Unit",
}  # fmt: skip


class FileUnfit(ValueError):
    """A file of the folder cannot be taken in whole; says where, why and what to do."""

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(
            f"{path.name}: {problem}; nothing of the folder was stored: "
            "correct the file or take it out, and run it again"
        )


@dataclass(frozen=True)
class SeriesFile:
    """The batches of a file of series, and those of them that are taken in."""

    mapping: series_parquet.SeriesMapping
    every: list[int]
    wanted: list[series_parquet.BatchSeries]


@dataclass(frozen=True)
class Taken:
    """What is to be posted of a folder, by file."""

    logs: dict[Path, mes_log_csv.MesLog] = field(default_factory=dict)
    reports: dict[Path, deviation_report_md.DeviationReport] = field(default_factory=dict)
    series: dict[Path, SeriesFile] = field(default_factory=dict)


def read(found: Found, *, at: datetime) -> Taken:
    """Read what was recognised; raise `FileUnfit` for the first that could not be posted whole."""
    taken = Taken()
    for path, kind in found.recognised:
        try:
            match kind:
                case "mes-log-csv":
                    taken.logs[path] = mes_log_csv.parse(path.read_bytes())
                    _demand_log(taken.logs[path], at=at)
                case "deviation-report-md":
                    taken.reports[path] = deviation_report_md.parse(path.read_bytes())
                    _demand_report(taken.reports[path])
                case _:
                    taken.series[path] = _series(path)
        except (ValueError, OSError, Refused) as error:
            raise FileUnfit(path, str(error)) from error
    _demand_batches(taken)
    return taken


def demand_phases(taken: Taken, recipe: MasterRecipe) -> None:
    """Refuse a log with a line whose step is no phase of the recipe that it is posted against."""
    phases = list(recipe.phases.order_by("order"))
    names = Counter(name for one in phases for name in {one.name, one.label})
    known = ", ".join(one.name for one in phases)
    for path, log in taken.logs.items():
        for row in log.rows:
            if names[row.step] != 1:
                raise FileUnfit(
                    path,
                    f"line {row.line}: Step “{row.step}” is no phase of {recipe}; "
                    f"its phases are: {known}",
                )


def line_event(row: mes_log_csv.Row) -> dict[str, Any]:
    """Return a line as the measurement that is posted of it, with the line's own words."""
    return {
        "zone": ASSUMED_ZONE,
        "backfilled": True,
        "kind": "measurement",
        "occurred_at": row.timestamp,
        "phase": row.step,
        "performed_by": row.operator,
        "tag": "fill_weight_mg",
        "value": row.value,
        "unit": row.unit,
        "details": {"critical_alarm": "1" if row.critical_alarm else "0", "line": str(row.line)},
    }


def report_import(report: deviation_report_md.DeviationReport) -> dict[str, Any]:
    """Return a report as it is imported: its text unchanged, its claims field by field."""
    if "timestamp" not in report.claims:
        raise ValueError(
            "the report does not say when it happened: a line “Timestamp: 2026-02-16 06:24:15” "
            "is missing in its section “Event Description”"
        )
    return {
        "number": report.number,
        "title": report.title,
        "severity": str(report.claims.get("deviation_severity", "major")).lower(),
        "occurred_at": str(report.claims["timestamp"]),
        "zone": ASSUMED_ZONE,
        "claims": dict(report.claims),
        "source_text": report.text,
    }


def _demand_log(log: mes_log_csv.MesLog, *, at: datetime) -> None:
    for row in log.rows:
        try:
            batches.demand_number(row.batch)
            event = _accepted(EventIn(data=line_event(row)))
            events.demand_possible(event["occurred_at"], at=at)
        except (ValueError, Refused) as error:
            raise ValueError(f"line {row.line}: {error}") from error


def _demand_report(report: deviation_report_md.DeviationReport) -> None:
    _accepted(ImportIn(data=report_import(report)))


def _accepted(message: serializers.Serializer[Any]) -> dict[str, Any]:
    """Return a message as the API would read it, or raise what the API would say."""
    if not message.is_valid():
        raise ValueError("; ".join(_said(message.errors)))
    return dict(message.validated_data)


def _said(errors: Any, name: str = "") -> Iterator[str]:
    if isinstance(errors, dict):
        for key, value in errors.items():
            yield from _said(value, _COLUMNS.get(key, str(key)))
    else:
        yield f"{name}: {' '.join(str(one) for one in errors)}"


def _series(path: Path) -> SeriesFile:
    mapping = series_parquet.mapping_of(path)
    if mapping is None:
        raise ValueError("its columns are of no declared mapping")
    every = series_parquet.batches(path, mapping)
    wanted = list(series_parquet.read(path, mapping, wanted=every[:MOST_BATCHES]))
    for series in wanted:
        if not series.samples:
            raise ValueError(f"batch {series.batch} has no value that is a number")
    return SeriesFile(mapping, every, wanted)


def _demand_batches(taken: Taken) -> None:
    """Refuse a batch that is in two files, and reports that come without any batch."""
    of: dict[str, Path] = {}
    for path, number in _numbers(taken):
        if of.setdefault(number, path) != path:
            raise FileUnfit(path, f"batch {number} is in {of[number].name} too")
    if of:
        return
    for path in taken.logs:
        raise FileUnfit(path, "the log has no line but its header")
    for path in taken.reports:
        raise FileUnfit(path, "the folder holds no batch that the report could be linked to")


def _numbers(taken: Taken) -> Iterable[tuple[Path, str]]:
    for path, log in taken.logs.items():
        yield from ((path, number) for number in log.batches)
    for path, file in taken.series.items():
        yield from ((path, f"{file.mapping.name}-{one.batch}") for one in file.wanted)
