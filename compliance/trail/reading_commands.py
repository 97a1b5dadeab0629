"""Carry out what the command line asks of timelines and evidence."""

import json
from argparse import ArgumentParser
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

from django.core.management.base import CommandError
from django.utils import timezone

from compliance import times
from compliance.trail import issuing, standing, terminal, timeline
from compliance.trail.recording import System
from compliance.trail.subjects import Wanted
from compliance.trail.timeline import Asked
from compliance.trail.verifier.contents import Kind, Record

UNHURRIED = 1_000_000  # entries of a bundle for which somebody waits at a terminal


class Out(Protocol):
    """Where a command writes."""

    def write(self, msg: str) -> Any: ...


def add_arguments(parser: ArgumentParser) -> None:
    """Add what says which entries: records, a batch, a person, a period, an act."""
    parser.add_argument(
        "--record", nargs="*", action="append", default=[], metavar="TABLE ID",
        help="timeline, bundle: a record; bundle: any number of them. "
        "verify: with nothing behind it, write the result into the log.",
    )  # fmt: skip
    parser.add_argument(
        "--period", nargs=2, metavar=("FROM", "TO"),
        help="timeline, bundle: between two moments such as 2026-03-01T00:00:00Z.",
    )  # fmt: skip
    parser.add_argument("--batch", default="", metavar="NUMBER", help="bundle: a whole batch.")
    parser.add_argument("--act", default="", metavar="ID", help="timeline, bundle: one act.")
    parser.add_argument("--limit", type=int, default=100, help="timeline: how many entries.")
    parser.add_argument(
        "--held", type=Path, action="append", default=[], metavar="NOTE",
        help="bundle: a checkpoint that the receiver holds; it is shown to lead to the newest.",
    )  # fmt: skip
    parser.add_argument(
        "--seal", action="store_true", help="bundle: first seal and sign all there is."
    )


def show_timeline(options: dict[str, Any], out: Out) -> None:
    """Write a timeline, newest entry first."""
    records = _records(options)
    if len(records) > 1:
        raise CommandError("a timeline is of one record; name one")
    table, record_id = records[0] if records else ("", "")
    start, end = _period(options)
    asked = Asked(
        record=table, record_id=record_id, actor=_person(options), act=options["act"],
        start=start, end=end,
    )  # fmt: skip
    if not asked.equal and start is None:
        raise CommandError("say of what: --record TABLE ID, --person NAME, --period or --act")
    found = islice(timeline.through(asked, limit=min(options["limit"], 1_000)), options["limit"])
    secured = standing.now()
    if options["json"]:
        for line in terminal.json_lines(found, secured):
            out.write(line)
        return
    entries = list(found)
    if not entries:
        raise CommandError("the trail has no such entry")
    out.write(terminal.rendered(terminal.table(entries, secured, title=f"{len(entries)} entries")))


def write_bundle(options: dict[str, Any], out: Out, *, progress: Out) -> None:
    """Write an evidence bundle to a file; what takes a while is told apart from the result."""
    wanted, path = _wanted(options), _target(options)
    at = timezone.now()
    if options["seal"]:
        issuing.seal_now(at, say=progress.write)
    issued = issuing.issue(
        wanted,
        actor=System("trail bundle"),
        at=at,
        reason=options["reason"],
        held=[_read(one) for one in options["held"]],
        most=UNHURRIED,
    )
    path.write_bytes(issued.data)
    found = {
        "title": issued.title, "tree_size": issued.tree_size, "sha256": issued.sha256,
        "late": issued.late, "file": str(path),
    }  # fmt: skip
    if options["json"]:
        out.write(json.dumps(found))
        return
    out.write(f"{issued.title}: {len(issued.data):,} bytes to {path}")
    out.write(f"SHA-256 {issued.sha256}, under the checkpoint of {issued.tree_size} leaves")
    if issued.remark:
        out.write(f"Note: {issued.remark}")


def write_verifier(options: dict[str, Any], out: Out) -> None:
    """Write the verifier, for somebody who does not want the one in the bundle."""
    path = _target(options)
    path.write_bytes(issuing.verifier())
    out.write(f"Written to {path}; python {path.name} verify BUNDLE --trust FILE")


def _wanted(options: dict[str, Any]) -> Wanted:
    start, end = _period(options)
    named = {
        Kind.RECORD: _records(options), Kind.BATCH: options["batch"],
        Kind.PERSON: _person(options), Kind.ACT: options["act"],
    }  # fmt: skip
    kinds = [kind for kind, given in named.items() if given]
    if not kinds and start:
        return Wanted(kind=Kind.PERIOD, start=start, end=end)
    if len(kinds) != 1 or (start and kinds != [Kind.PERSON]):
        raise CommandError(
            "a bundle is about one thing: --record TABLE ID (any number), --batch NUMBER, "
            "--person NAME (with --period, if wanted), --period FROM TO or --act ID"
        )
    return Wanted(
        kind=kinds[0],
        records=_records(options),
        name=options["batch"] or _person(options) or options["act"],
        start=start,
        end=end,
    )


def _records(options: dict[str, Any]) -> tuple[Record, ...]:
    if any(len(one) != 2 for one in options["record"]):
        raise CommandError("name a record by its table and its key: --record TABLE ID")
    return tuple((table, record_id) for table, record_id in options["record"])


def _person(options: dict[str, Any]) -> str:
    if len(options["person"]) > 1:
        raise CommandError("name one person")
    return str(options["person"][0]) if options["person"] else ""


def _period(options: dict[str, Any]) -> tuple[datetime | None, datetime | None]:
    if not options["period"]:
        return None, None
    try:
        start, end = (times.parse(text) for text in options["period"])
    except times.NotAMoment as error:
        raise CommandError(str(error)) from error
    if end <= start:
        raise CommandError("the period ends before it begins")
    return start, end


def _target(options: dict[str, Any]) -> Path:
    if options["to"] is None:
        raise CommandError("say where to: --to FILE")
    return Path(options["to"])


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}") from error
