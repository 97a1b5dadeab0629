"""The part of `manage.py trail` about the life of logs: archives, restores, new logs, new hashes."""

from argparse import ArgumentParser
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from compliance.trail import (
    archiving,
    continuing,
    detaching,
    exported,
    exporting,
    keys,
    new_logs,
    parent,
    recording,
    recovering,
    rehashing,
    restoring,
    stored,
)
from compliance.trail.append_stores import ExportConflict, StoreUnusable
from compliance.trail.detaching import Person
from compliance.trail.recording import System
from compliance.trail.stored_tiles import Altered
from compliance.trail.tlog import trees
from compliance.trail.tlog.archive_file import Archive, ArchiveInvalid
from compliance.trail.tlog.key_documents import KeyRefused
from compliance.trail.verifier import markup

Options = dict[str, Any]
Say = Callable[[str], object]
FAULTY, NOT_ASSESSABLE = 1, 2


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options of these ways."""
    parser.add_argument("subject", nargs="?", default="", help=_SUBJECT)
    parser.add_argument("--log", metavar="ORIGIN", help="The log, where it is not the first one.")
    parser.add_argument("--archives", type=Path, help="The folder of archive files.")
    parser.add_argument("--from", dest="source", type=Path, help="The folder of an export.")
    parser.add_argument("--note", type=Path, action="append", default=[], help=_NOTE)
    parser.add_argument("--retention-days", type=int, help="detach: how old entries must be.")
    parser.add_argument("--parent", action="store_true", help="new-log: the log above the others.")
    parser.add_argument("--hash", choices=tuple(trees.BY_NAME), default=trees.SHA_512.name)
    parser.add_argument("--person", action="append", default=[], help=_PERSON)


def archive(options: Options, say: Say) -> None:
    made = archiving.archive(
        _archives(options), log_id=stored.log_id_of(options["log"]), **_act("archive", options)
    )
    for span in made:
        say(f"{span.file}: leaves {span.start} to {span.end}, SHA-256 {span.sha256.hex()}")
    say(f"Archived {len(made)} spans")


def check_archive(options: Options, say: Say) -> None:
    """Verify one file with nothing but itself and the public keys."""
    path = Path(options["subject"])
    try:
        with archiving.opened(path) as content:
            found = Archive(content.data)
            faults = list(found.faults())
            manifest = found.manifest
        keys.history(manifest.origin).open(manifest.checkpoint)
    except (OSError, ArchiveInvalid, KeyRefused) as error:
        raise CommandError(f"{path}: {error}", returncode=FAULTY) from error
    for fault in faults:
        say(f"TAMPERED {fault}")
    if faults:
        raise CommandError(f"{path}: {len(faults)} faults", returncode=FAULTY)
    covered = manifest.claimed()
    say(
        f"INTACT: leaves {manifest.start} to {manifest.end} of {manifest.origin}, under the signed "
        f"checkpoint of {covered.size} leaves"
    )


def check_archives(options: Options, say: Say) -> None:
    faults = list(archiving.check_all(_archives(options)))
    for fault in faults:
        say(str(fault))
    if faults:
        raise CommandError(f"NOT INTACT: {len(faults)} faults in archives", returncode=FAULTY)
    say(f"INTACT: {len(archiving.spans())} archives")


def detach(options: Options, say: Say) -> None:
    if options["retention_days"] is None:
        raise CommandError("--retention-days is needed")
    number = _subject(options)
    if not (number.isascii() and number.isdecimal() and len(number) < 18):
        raise CommandError(f"{number} is no number of a partition")
    gone = detaching.detach(
        int(number),
        folder=_archives(options),
        retention=timedelta(days=options["retention_days"]),
        persons=_persons(options),
        actor=System("trail detach"),
        at=timezone.now(),
    )
    say(f"Detached {gone} entries; their leaves and proofs stay")


def hold(options: Options, say: Say) -> None:
    detaching.hold(_subject(options), **_act("hold", options))
    say(f"In force: {', '.join(detaching.held())}")


def release_hold(options: Options, say: Say) -> None:
    detaching.release(_subject(options), **_act("release-hold", options))
    say(f"In force: {', '.join(detaching.held()) or 'none'}")


def restore_check(options: Options, say: Say) -> None:
    found = _restored(options)
    for line in (*found.lines(), *(f"Not signed by this log: {one}" for one in found.refused)):
        say(line)
    if found.is_lost:
        raise CommandError("ROLLED BACK: run `trail recover` or `trail new-origin`", returncode=1)


def recover(options: Options, say: Say) -> None:
    if options["source"] is None:
        raise CommandError("--from is needed: the folder of an export")
    found = recovering.recover(
        exported.Folder(options["source"]), origin=options["log"], **_act("recover", options)
    )
    say(f"Put back leaves {found.start} to {found.end} and {found.rows.count} records")
    for one in found.rows.incomplete:
        say(f"Not all came back: {one}")
    if found.lost_tokens:
        say(f"Time stamps that the export does not have: {', '.join(found.lost_tokens)}")


def compare_export(options: Options, say: Say) -> None:
    """Read the export back and say where it and the database are not the same."""
    try:
        found = exporting.compare(log_id=stored.log_id_of(options["log"]))
    except StoreUnusable as error:
        raise CommandError(str(error), returncode=NOT_ASSESSABLE) from error
    except (ExportConflict, Altered) as error:
        raise CommandError(f"NOT THE SAME: {error}", returncode=FAULTY) from error
    if found is None:
        raise CommandError("no export is set (GMP_EXPORT)", returncode=NOT_ASSESSABLE)
    told = (
        (found["missing"], "is not in the export"),
        (found["different"], "has other bytes in the export"),
        (found["foreign"], "is in the export, and the database does not have it"),
        (found["disturbed"], "was written to or deleted in the export"),
    )
    lines = [f"{name} {what}" for names, what in told for name in names]
    if found["size"] and found["stored_size"] is None:
        lines.append("the export has no checkpoint")
    if found["is_rolled_back"]:
        lines.append(
            f"the export has a checkpoint of {found['stored_size']} leaves, the database's newest has "
            f"{found['size']}"
        )
    for line in lines:
        # A name in a folder is any bytes.
        say(markup.line(line.encode(errors="backslashreplace").decode()))
    if lines:
        raise CommandError(f"NOT THE SAME: {len(lines)} differences", returncode=FAULTY)
    say(f"THE SAME: the export and the database, up to {found['stored_size']} leaves")


def new_origin(options: Options, say: Say) -> None:
    made = continuing.new_origin(
        _restored(options), persons=_persons(options), **_act("new-origin", options)
    )
    say(f"Log {made.log_id}, {made.origin}, continues; writers are in it from now on")


def new_log(options: Options, say: Say) -> None:
    origin = _subject(options)
    log_id = new_logs.begin(origin, is_parent=options["parent"], **_act("new-log", options))
    say(f"Log {log_id} begins: {origin}")


def gather(options: Options, say: Say) -> None:
    written = parent.gather(
        actor=System("trail gather"), at=timezone.now(), reason="checkpoints of all logs"
    )
    say(f"The parent log has {len(written)} new checkpoints")


def rehash(options: Options, say: Say) -> None:
    hash_, log_id = trees.BY_NAME[options["hash"]], stored.log_id_of(options["log"])
    act = _act("rehash", options)
    added = rehashing.grow(hash_, log_id=log_id)
    document = rehashing.record(hash_, log_id=log_id, **act)
    say(f"{document['new_origin']}: {added} leaves more, {document['size']}, {document['root']}")


WAYS: Mapping[str, Callable[[Options, Say], None]] = {
    "archive": archive,
    "check-archive": check_archive,
    "check-archives": check_archives,
    "detach": detach,
    "hold": hold,
    "release-hold": release_hold,
    "restore-check": restore_check,
    "recover": recover,
    "compare-export": compare_export,
    "new-origin": new_origin,
    "new-log": new_log,
    "gather": gather,
    "rehash": rehash,
}
HELP = (
    "archive: cut whole spans into files; check-archive FILE, check-archives: verify them; "
    "detach PARTITION: drop archived entries; hold NAME, release-hold NAME: a legal hold; "
    "restore-check: what a restored database lost; recover: put it back from an export; "
    "new-origin: continue a log that lost a part; compare-export: read the export back beside the "
    "database; new-log ORIGIN: begin one; gather: write all checkpoints into "
    "the parent log; rehash: grow and record a tree with another hash"
)
_SUBJECT = "The file, partition, hold or origin that some of these are about."
_NOTE = "restore-check, new-origin: a checkpoint kept elsewhere (a witness's, one on paper)."
_PERSON = 'detach, new-origin: "Name: why", twice, for two different persons.'


def _act(way: str, options: Options) -> dict[str, Any]:
    reason = recording.demand_reason(options["reason"])
    return {"actor": System(f"trail {way}"), "at": timezone.now(), "reason": reason}


def _restored(options: Options) -> restoring.Restored:
    source = options["source"]
    try:
        notes = [(str(path), path.read_text()) for path in options["note"]]
    except (OSError, UnicodeError) as error:
        raise CommandError(f"--note: {error}") from error
    return restoring.check(
        origin=options["log"],
        source=None if source is None else exported.Folder(source),
        notes=notes,
    )


def _persons(options: Options) -> list[Person]:
    found = [text.partition(":") for text in options["person"]]
    return [Person(name.strip(), why.strip() or options["reason"]) for name, _, why in found]


def _archives(options: Options) -> Path:
    return options["archives"] or archiving.default_folder()


def _subject(options: Options) -> str:
    if not options["subject"]:
        raise CommandError("say which one")
    return str(options["subject"])
