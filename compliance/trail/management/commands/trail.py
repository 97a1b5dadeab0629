"""Verify, seal, publish and describe the audit trail from the command line."""

import json
import sys
from argparse import ArgumentParser
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from django.utils import timezone

from compliance.refusals import Refused, Unavailable
from compliance.trail import (
    checkpoints,
    issuing,
    key_events,
    keys,
    reading_commands,
    recording,
    reported,
    sequencer,
    status,
    stored,
    verification,
    verification_events,
)
from compliance.trail.archiving import ArchiveConflict
from compliance.trail.checkpoints import CheckpointConflict
from compliance.trail.keyring.failure import KeyUnusable
from compliance.trail.management import trail_life
from compliance.trail.recording import System
from compliance.trail.rehashing import LeafMissing
from compliance.trail.signer.failure import LogForked, SignerRefused
from compliance.trail.stored import Damaged
from compliance.trail.stored_tiles import Altered
from compliance.trail.tlog.key_documents import KeyRefused
from compliance.trail.tlog.tiles import HashMissing
from compliance.trail.verified_checkpoints import NotAssessable

FAULTY, NOT_ASSESSABLE = 1, 2


class Command(BaseCommand):
    help = "The audit trail: verify it, show where it is, its key; seal and publish by hand."
    requires_system_checks = []  # it must work where something else is not as it should be

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "what",
            choices=(
                *("verify", "status", "keys", "rotate-key", "seal", "publish"),
                *("timeline", "bundle", "verifier"),
                *trail_life.WAYS,
            ),
            help=f"{_HELP}; {trail_life.HELP}",
        )
        trail_life.add_arguments(parser)
        parser.add_argument("--json", action="store_true", help="Answer in JSON.")
        parser.add_argument(
            "--resume", action="store_true", help="verify: go on where a killed run ended."
        )
        parser.add_argument(
            "--since-last", action="store_true", help="verify: only what came since it was intact."
        )
        parser.add_argument("--to", type=Path, help="Where to write it; publish: the folder.")
        parser.add_argument(
            "--algorithm", choices=tuple(keys.ALGORITHMS), help="rotate-key: the type of key."
        )
        parser.add_argument("--reason", default="", help="Why.")
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
            **{name: partial(self._live, way) for name, way in trail_life.WAYS.items()},
        }
        try:
            ways[options["what"]](options)
        except (NotAssessable, KeyUnusable) as error:
            raise CommandError(f"NOT ASSESSABLE: {error}", returncode=NOT_ASSESSABLE) from error
        except (DatabaseError, psycopg.Error) as error:  # a damaged page, or no server
            raise CommandError(
                f"NOT ASSESSABLE: the database cannot be read: {str(error).strip()}",
                returncode=NOT_ASSESSABLE,
            ) from error
        except OSError as error:  # a full disk, or what is no file any more
            raise CommandError(f"NOT ASSESSABLE: {error}", returncode=NOT_ASSESSABLE) from error
        except (Damaged, Altered, LeafMissing, HashMissing) as error:
            raise CommandError(f"NOT INTACT: {error}: `trail verify`", returncode=FAULTY) from error
        except (LogForked, CheckpointConflict) as error:
            raise CommandError(f"FORK: {error}", returncode=FAULTY) from error
        except (
            SignerRefused, KeyRefused, Refused, Unavailable, ArchiveConflict, LookupError
        ) as error:  # fmt: skip
            raise CommandError(str(error)) from error

    def _live(self, way: Callable[..., None], options: dict[str, Any]) -> None:
        way(options, self.stdout.write)

    def _verify(self, options: dict[str, Any]) -> None:
        is_shown = self.stderr.isatty() and not options["json"]
        report = verification.verify(
            reported.Progress(self._show) if is_shown else None,
            log_id=stored.log_id_of(options["log"]) if options["log"] else None,
            resume=options["resume"],
            since_last=options["since_last"],
        )
        if options["record"]:
            verification_events.record(report, actor=System("trail verify"), at=timezone.now())
        lines = (
            [json.dumps(reported.as_json(report))] if options["json"] else reported.as_text(report)
        )
        for line in lines:
            self.stdout.write(line)
        if not report.is_intact:
            sys.exit(FAULTY)

    def _show(self, text: str) -> None:
        self.stderr.write(text, ending="")

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
            # As a file of keys that the offline verifier trusts: the words are a comment in it.
            self.stdout.write(f"# from size {one['from_size']}{end}\n{one['vkey']}")

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
        batches = list(sequencer.seal_all())
        count, sealed = sum(batch.count for batch in batches), batches[-1]
        keys.ensure()
        signed = issuing.signed(sealed.size, say=self.stderr.write)
        found = {"sealed": count, "size": sealed.size, "refused": list(sealed.refused)}
        self.stdout.write(
            json.dumps(found)
            if options["json"]
            else f"Sealed {count} entries; a checkpoint of {signed} leaves is signed"
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
        reading_commands.write_bundle(options, self.stdout, progress=self.stderr)

    def _verifier(self, options: dict[str, Any]) -> None:
        reading_commands.write_verifier(options, self.stdout)


_HELP = (
    "verify: recompute everything, exit 1 on faults and 2 when it cannot be assessed; "
    "status: size, lag and last checkpoint; keys: the public keys, made when there are none; "
    "rotate-key: let a new key follow the present one, while the signer is stopped; without "
    "--algorithm record what an interrupted run did not; "
    "seal: seal and sign once, or wait for the signer that runs; publish: export checkpoints; "
    "timeline: the entries of a record, a person or a period; "
    "bundle: evidence about a subject that verifies offline, recorded as issued; "
    "verifier: the program that verifies it"
)
