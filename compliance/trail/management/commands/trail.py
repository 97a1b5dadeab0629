"""Verify, seal, publish and describe the audit trail from the command line."""

import json
import sys
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from compliance.refusals import Refused, Unavailable
from compliance.trail import (
    checkpoints,
    key_events,
    keys,
    reading_commands,
    recording,
    sequencer,
    status,
    verification,
)
from compliance.trail.checkpoints import CheckpointConflict
from compliance.trail.keyring.failure import KeyUnusable
from compliance.trail.recording import System
from compliance.trail.signer.failure import LogForked, SignerRefused
from compliance.trail.tlog.key_documents import KeyRefused
from compliance.trail.verification import Report
from compliance.trail.verified_checkpoints import NotAssessable

SHOWN = 50
FAULTY, NOT_ASSESSABLE = 1, 2


class Command(BaseCommand):
    help = "The audit trail: verify it, show where it is, its key; seal and publish by hand."
    requires_system_checks = []  # it must work where something else is not as it should be

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "what",
            choices=(
                "verify",
                "status",
                "keys",
                "rotate-key",
                "seal",
                "publish",
                "timeline",
                "bundle",
                "verifier",
            ),
            help=_HELP,
        )
        parser.add_argument("--json", action="store_true", help="Answer in JSON.")
        parser.add_argument("--to", type=Path, help="Where to write it; publish: the folder.")
        parser.add_argument(
            "--algorithm", choices=tuple(keys.ALGORITHMS), help="rotate-key: the type of key."
        )
        parser.add_argument("--reason", default="", help="rotate-key, bundle: why.")
        reading_commands.add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        ways: dict[str, Callable[[dict[str, Any]], None]] = {
            "verify": self._verify,
            "status": self._status,
            "keys": self._keys,
            "rotate-key": self._rotate_key,
            "seal": self._seal,
            "publish": self._publish,
            "timeline": self._timeline,
            "bundle": self._bundle,
            "verifier": self._verifier,
        }
        try:
            ways[options["what"]](options)
        except (NotAssessable, KeyUnusable) as error:
            raise CommandError(f"NOT ASSESSABLE: {error}", returncode=NOT_ASSESSABLE) from error
        except (LogForked, CheckpointConflict) as error:
            raise CommandError(f"FORK: {error}", returncode=FAULTY) from error
        except (SignerRefused, KeyRefused, Refused, Unavailable) as error:
            raise CommandError(str(error)) from error

    def _verify(self, options: dict[str, Any]) -> None:
        is_shown = self.stderr.isatty() and not options["json"]
        report = verification.verify(self._progress if is_shown else None)
        lines = [json.dumps(_as_json(report))] if options["json"] else _as_text(report)
        for line in lines:
            self.stdout.write(line)
        if not report.is_intact:
            sys.exit(FAULTY)

    def _progress(self, done: int, total: int) -> None:
        self.stderr.write(f"\r{done} of {total} leaves", ending="")

    def _status(self, options: dict[str, Any]) -> None:
        found = status.read(at=timezone.now())
        if options["json"]:
            self.stdout.write(json.dumps(found))
            return
        for name, value in found.items():
            self.stdout.write(f"{name.replace('_', ' ')}: {value}")

    def _keys(self, options: dict[str, Any]) -> None:
        found = [
            {"vkey": one.vkey, "from_size": one.from_size, "to_size": one.to_size}
            for one in keys.ensure().records
        ]
        if options["json"]:
            self.stdout.write(json.dumps({"keys": found}))
            return
        for one in found:
            end = "" if one["to_size"] is None else f" to {one['to_size']}"
            self.stdout.write(f"from size {one['from_size']}{end}: {one['vkey']}")

    def _rotate_key(self, options: dict[str, Any]) -> None:
        reason = recording.demand_reason(options["reason"])
        actor, at = System("trail rotate-key"), timezone.now()
        if options["algorithm"] is None:  # an earlier run may have ended half way
            late = key_events.deliver(actor=actor, at=at, reason=reason)
            self.stdout.write(f"Recorded {late} documents about keys that the log did not have")
            return
        algorithm = keys.ALGORITHMS[options["algorithm"]]
        rotated = key_events.rotate(algorithm, actor=actor, at=at, reason=reason)
        self.stdout.write(
            f"Key {rotated.new.key_id.hex()} follows {rotated.old.key_id.hex()}; both sign the "
            f"checkpoint of {rotated.size} leaves when the signer runs again. Destroy the old "
            f"private key after that"
        )

    def _seal(self, options: dict[str, Any]) -> None:
        count = 0
        while True:
            sealed = sequencer.seal()
            count += sealed.count
            if sealed.count + len(sealed.refused) < sequencer.BATCH:
                break
        keys.ensure()
        signed = checkpoints.sign(timezone.now())
        found = {"sealed": count, "size": sealed.size, "refused": list(sealed.refused)}
        self.stdout.write(
            json.dumps(found)
            if options["json"]
            else f"Sealed {count} entries; signed a checkpoint of {signed.checkpoint.size} leaves"
        )
        if sealed.refused:
            raise CommandError(f"altered entries stay unsealed: {sealed.refused}")

    def _publish(self, options: dict[str, Any]) -> None:
        folder = options["to"] or Path(settings.PUBLISHED_DIR)
        written = checkpoints.publish(folder)
        self.stdout.write(
            json.dumps({"published": written})
            if options["json"]
            else f"Published {len(written)} checkpoints to {folder}"
        )

    def _timeline(self, options: dict[str, Any]) -> None:
        reading_commands.show_timeline(options, self.stdout)

    def _bundle(self, options: dict[str, Any]) -> None:
        reading_commands.write_bundle(options, self.stdout)

    def _verifier(self, options: dict[str, Any]) -> None:
        reading_commands.write_verifier(options, self.stdout)


_HELP = (
    "verify: recompute everything, exit 1 on faults and 2 when it cannot be assessed; "
    "status: size, lag and last checkpoint; keys: the public keys, made when there are none; "
    "rotate-key: let a new key follow the present one, while the signer is stopped; without "
    "--algorithm record what an interrupted run did not; "
    "seal: seal and sign once; publish: export checkpoints; "
    "timeline: the entries of a record, a person or a period; "
    "bundle: evidence about a subject that verifies offline, recorded as issued; "
    "verifier: the program that verifies it"
)


def _as_text(report: Report) -> list[str]:
    counted = (
        f"{report.entries} entries, {report.leaves} leaves, {report.checkpoints} checkpoints, "
        f"{report.unsealed} unsealed"
    )
    notes = [f"Note: {note}" for note in report.notes]
    if report.first is None:
        return [f"INTACT: {counted}", f"Root: {report.root.hex()}", *notes]
    total = sum(report.counts.values())
    lines = [f"First bad entry: {report.first}", *map(str, report.faults[:SHOWN])]
    if total > SHOWN:
        lines.append(f"... and {total - SHOWN} more")
    kinds = ", ".join(f"{count} {verdict}" for verdict, count in sorted(report.counts.items()))
    return [*lines, *notes, f"NOT INTACT: {total} faults ({kinds}) in {counted}"]


def _as_json(report: Report) -> dict[str, Any]:
    return {
        "intact": report.is_intact,
        "entries": report.entries,
        "leaves": report.leaves,
        "checkpoints": report.checkpoints,
        "unsealed": report.unsealed,
        "root": report.root.hex(),
        "first": None if report.first is None else str(report.first),
        "counts": {str(verdict): count for verdict, count in sorted(report.counts.items())},
        "faults": [
            {
                "verdict": str(fault.verdict),
                "index": fault.index,
                "entry_id": fault.entry_id,
                "record": fault.record,
                "message": fault.message,
            }
            for fault in report.faults[:SHOWN]
        ],
        "notes": list(report.notes),
    }
