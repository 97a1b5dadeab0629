"""Take a folder of real data instead of the simulated plant: post it, inspect it, report it."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from batches.exchange import folders
from batches.exchange.formats import deviation_report_md, mes_log_csv, series_parquet
from compliance.access.duties import Role
from config.demo import main_job, master_records
from config.demo.main_job import Outcome, Stage
from config.demo.person import Unexpected
from twins.plant.client import Plant
from twins.plant.posts import Post

# The vial log gives no zone; the plant's records are in Spanish initials (OP_ES). The zone is an
# assumption, and every event says so (is_zone_assumed).
ASSUMED_ZONE = "Europe/Madrid"
MOST_BATCHES = 2
ROWS_A_POST = 5000


def run(stage: Stage, folder: Path, *, now: datetime) -> Outcome:
    """Post everything that is recognised, say what is not, and let the inspector read it."""
    found = folders.recognise(folder)
    stage.display.step(f"{folder}: {len(found.recognised)} files can be read")
    for path, kind in found.recognised:
        stage.display.say(f"{path.relative_to(folder)}: {kind}")
    if found.unknown:
        names = ", ".join(str(path.relative_to(folder)) for path in found.unknown[:5])
        more = f" and {len(found.unknown) - 5} more" if len(found.unknown) > 5 else ""
        stage.display.say(f"no declared format, left alone: {names}{more}")
    reported: list[str] = []
    for path in found.of("mes-log-csv"):
        reported += _log(stage, path)
    for path in found.of("deviation-report-md"):
        _deviation(stage, path, batches=reported)
    for path in found.of("series-parquet"):
        reported += _series(stage, path, now=now)
    if not reported:
        raise Unexpected(f"{folder} holds reports but no batch to report on")
    inspection = main_job.inspect(stage, reported)
    return Outcome(
        pdf=main_job.report(stage, reported[0]), inspection=inspection, batch=reported[0]
    )


def _log(stage: Stage, path: Path) -> list[str]:
    """Post each line of a log as a measurement of its batch, with the line's own words."""
    log = mes_log_csv.parse(path.read_bytes())
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
        said = {"zone": ASSUMED_ZONE, "backfilled": True, **body}
        return _post(f"batches/{batch}/events", f"{batch}:{key}", said, key)

    yield _post(
        "batches", f"{batch}:issue", {"number": batch, "product": master_records.VIALS}, "issued"
    )
    opened = {"text": "the log has no start of its own: its first line is taken"}
    yield event("start", {"kind": "batch-started", "occurred_at": rows[0].timestamp, **opened})
    for row in rows:
        yield event(
            f"line-{row.line}",
            {
                "kind": "measurement",
                "occurred_at": row.timestamp,
                "phase": row.step,
                "performed_by": row.operator,
                "tag": "fill_weight_mg",
                "value": row.value,
                "unit": row.unit,
                "details": {
                    "critical_alarm": "1" if row.critical_alarm else "0",
                    "line": str(row.line),
                },
            },
        )


def _deviation(stage: Stage, path: Path, *, batches: list[str]) -> None:
    """Import a report of the plant with its claims, and link it to the batch it came with."""
    report = deviation_report_md.parse(path.read_bytes())
    stage.display.step(f"{path.name}: deviation report {report.number}")
    with stage.person(Role.QUALITY_ASSURANCE) as quality:
        imported = quality.post(
            "deviations/imports",
            {
                "number": report.number,
                "title": report.title,
                "severity": str(report.claims.get("deviation_severity", "major")).lower(),
                "occurred_at": str(report.claims["timestamp"]),
                "zone": ASSUMED_ZONE,
                "claims": dict(report.claims),
                "source_text": report.text,
            },
            refused=409,
        )
        if imported.get("status") == 409:
            stage.display.say(str(imported["detail"]))
            return
        for number in batches:
            quality.post(
                f"batches/{number}/deviations",
                {"deviation": report.number, "reason": "report came with the log of this batch"},
            )


def _series(stage: Stage, path: Path, *, now: datetime) -> list[str]:
    """Post the first batches of a file of series; the rest is named, not dropped in silence."""
    mapping = series_parquet.mapping_of(path)
    if mapping is None:
        return []
    every = series_parquet.batches(path, mapping)
    wanted = every[:MOST_BATCHES]
    left = ", ".join(series_parquet.unmapped(path, mapping))
    stage.display.step(f"{path.name}: {len(wanted)} of {len(every)} batches")
    stage.display.say(f"columns without a declared unit, left alone: {left}")
    numbers = []
    sender = Plant(stage.url, stage.cast.tokens["mes"])
    for series in series_parquet.read(path, mapping, wanted=wanted):
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
