"""Take a folder of real data instead of the simulated plant: post it, inspect it, report it."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from batches.exchange import folders
from batches.exchange.formats import deviation_report_md, mes_log_csv, series_parquet
from compliance.access.duties import Role
from config.demo import folder_files, main_job, master_records
from config.demo.folder_files import SeriesFile, Taken
from config.demo.main_job import Outcome, Stage
from twins.plant.client import Plant
from twins.plant.posts import Post

ROWS_A_POST = 5000


def run(stage: Stage, folder: Path, taken: Taken, *, now: datetime) -> Outcome:
    """Post everything that was read, say what is not, and let the inspector read it."""
    found = folders.recognise(folder)
    stage.display.step(f"{folder}: {len(found.recognised)} files can be read")
    for path, kind in found.recognised:
        stage.display.say(f"{path.relative_to(folder)}: {kind}")
    if found.unknown:
        names = ", ".join(str(path.relative_to(folder)) for path in found.unknown[:5])
        more = f" and {len(found.unknown) - 5} more" if len(found.unknown) > 5 else ""
        stage.display.say(f"no declared format, left alone: {names}{more}")
    reported: list[str] = []
    for path, log in taken.logs.items():
        reported += _log(stage, path, log)
    for path, report in taken.reports.items():
        _deviation(stage, path, report, batches=reported)
    for path, file in taken.series.items():
        reported += _series(stage, path, file, now=now)
    inspection = main_job.inspect(stage, reported)
    return Outcome(
        pdf=main_job.report(stage, reported[0]), inspection=inspection, batch=reported[0]
    )


def _log(stage: Stage, path: Path, log: mes_log_csv.MesLog) -> list[str]:
    """Post each line of a log as a measurement of its batch, with the line's own words."""
    stage.display.step(f"{path.name}: {len(log.rows)} lines of {len(log.batches)} batches")
    numbers = []
    sender = Plant(stage.url, stage.cast.tokens["mes"])
    for name in log.batches:
        rows = [row for row in log.rows if row.batch == name]
        with stage.display.bar(name) as advance:
            sender.deliver(list(_line_posts(name, rows)), progress=advance)
        numbers.append(name)
    return numbers


def _line_posts(batch: str, rows: list[mes_log_csv.Row]) -> Iterator[Post]:
    def event(key: str, body: dict[str, Any]) -> Post:
        return _post(f"batches/{batch}/events", f"{batch}:{key}", body, key)

    yield _post(
        "batches", f"{batch}:issue", {"number": batch, "product": master_records.VIALS}, "issued"
    )
    yield event(
        "start",
        {
            "zone": folder_files.ASSUMED_ZONE,
            "backfilled": True,
            "kind": "batch-started",
            "occurred_at": rows[0].timestamp,
            "text": "the log has no start of its own: its first line is taken",
        },
    )
    for row in rows:
        yield event(f"line-{row.line}", folder_files.line_event(row))


def _deviation(
    stage: Stage, path: Path, report: deviation_report_md.DeviationReport, *, batches: list[str]
) -> None:
    """Import a report of the plant with its claims, and link it to the batch it came with."""
    stage.display.step(f"{path.name}: deviation report {report.number}")
    with stage.person(Role.QUALITY_ASSURANCE) as quality:
        imported = quality.post(
            "deviations/imports", folder_files.report_import(report), refused=409
        )
        if imported.get("status") == 409:
            stage.display.say(str(imported["detail"]))
            return
        for number in batches:
            quality.post(
                f"batches/{number}/deviations",
                {"deviation": report.number, "reason": "report came with the log of this batch"},
            )


def _series(stage: Stage, path: Path, file: SeriesFile, *, now: datetime) -> list[str]:
    """Post the first batches of a file of series; the rest is named, not dropped in silence."""
    mapping = file.mapping
    left = ", ".join(series_parquet.unmapped(path, mapping))
    stage.display.step(f"{path.name}: {len(file.wanted)} of {len(file.every)} batches")
    stage.display.say(f"columns without a declared unit, left alone: {left}")
    numbers = []
    sender = Plant(stage.url, stage.cast.tokens["mes"])
    for series in file.wanted:
        number = f"{mapping.name}-{series.batch}"
        with stage.display.bar(number) as advance:
            script = list(_series_posts(number, mapping, series, now=now))
            sender.deliver(script, progress=advance)
        numbers.append(number)
    return numbers


def _series_posts(
    number: str,
    mapping: series_parquet.SeriesMapping,
    series: series_parquet.BatchSeries,
    *,
    now: datetime,
) -> Iterator[Post]:
    """The file gives hours, not moments: the start is assumed so that the batch ended yesterday."""
    last_h = max(sample.at_h for sample in series.samples)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    start = midnight - timedelta(hours=round(last_h) + 24)
    text = "the file gives hours since the start; the moment of the start is assumed"
    yield _post(
        "batches", f"{number}:issue", {"number": number, "product": mapping.product}, "issued"
    )
    yield _post(
        f"batches/{number}/events",
        f"{number}:start",
        {
            "kind": "batch-started",
            "occurred_at": start.isoformat(),
            "text": text,
            "backfilled": True,
        },
        "start",
    )
    for first in range(0, len(series.samples), ROWS_A_POST):
        rows = series.samples[first : first + ROWS_A_POST]
        lines = "".join(
            json.dumps(
                {
                    "tag": row.tag,
                    "at": (start + timedelta(hours=row.at_h)).isoformat(),
                    "value": str(row.value),
                    "unit": row.unit,
                }
            )
            + "\n"
            for row in rows
        )
        yield Post(
            f"{number}:readings-{first}",
            f"batches/{number}/readings",
            lines.encode(),
            "application/x-ndjson",
            f"readings from {rows[0].at_h:.0f} h",
        )


def _post(path: str, key: str, body: dict[str, Any], text: str) -> Post:
    return Post(key, path, json.dumps(body).encode(), "application/json", text)
