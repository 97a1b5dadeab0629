"""Qualify a trained batch twin from files: dossier, sealed test set, protocol, test run."""

import getpass
import sys
from argparse import ArgumentTypeError, BooleanOptionalAction
from pathlib import Path
from typing import Any, TypeVar

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import models
from django.utils import timezone

from compliance.access.models import User
from compliance.refusals import Refused
from compliance.signatures import signing
from compliance.signatures.signing import Confirmed
from twins.hub import batch_models, dossiers, protocols, runs, sealed_sets
from twins.hub.models import ModelVersion, Qualification, SealedTestSet
from twins.hub.protocols import Contract
from twins.models.qualification import scoring
from twins.models.qualification.criteria import Comparison, Criterion
from twins.predictions import one_thread, qualifying
from twins.predictions.qualifying import Files

M = TypeVar("M", bound=models.Model)
_DATA = "parquet or CSV file of batches, one row a sample"
_LABELS = (
    "file with batch, kind (none for a normal batch), onset_h, and t_P_dev5_h, subgroup if known"
)
_CRITERION = "METRIC COMPARISON THRESHOLD [SUBGROUP], for example “skill above 0”"


def _criterion(text: str) -> Criterion:
    words = text.split(maxsplit=3)
    try:
        metric, comparison, threshold = words[:3]
        population = words[3] if len(words) > 3 else scoring.EVERYBODY
        return Criterion(metric, Comparison(comparison), float(threshold), population)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is not {_CRITERION}") from error


def _exclusion(text: str) -> tuple[str, str]:
    batch, found, reason = text.partition(":")
    if not found:
        raise ArgumentTypeError(f"{text!r} is not BATCH: REASON")
    return batch.strip(), reason.strip()


class Command(BaseCommand):
    help = (
        "Qualify a trained batch twin from files. Each step is an act of the person named by --by, "
        "who is asked for the password where it is signed; it is read from standard input when "
        "that is no terminal. Criteria are approved, and versions qualified and retired, by quality "
        "on the pages of the admin or over the API."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        steps = parser.add_subparsers(dest="step", required=True)
        dossier = steps.add_parser("dossier", help="register a twin and sign its dossier")
        self._files(dossier)
        dossier.add_argument("--model", required=True, metavar="NAME@VERSION")
        dossier.add_argument("--subgroup", action="append", required=True)
        dossier.add_argument("--limits", required=True, help="what it cannot do")
        dossier.add_argument("--training", required=True, help="where its data came from")
        dossier.add_argument(
            "--repeat",
            action=BooleanOptionalAction,
            default=True,
            help="train it again, and demand the same numbers",
        )
        dossier.add_argument("--truth", type=Path, help="hidden states, where it was trained with")
        dossier.add_argument("--trainer", action="append", required=True, metavar="USER")
        seal = steps.add_parser("seal", help="seal a test set: digests are kept, rows are not")
        self._files(seal)
        seal.add_argument("--name", required=True)
        seal.add_argument("--provenance", required=True)
        seal.add_argument("--label-provenance", required=True)
        seal.add_argument("--generated", action="store_true", help="a simulation made the data")
        seal.add_argument(
            "--exclude", action="append", default=[], type=_exclusion, metavar="BATCH: REASON"
        )
        draft = steps.add_parser("draft", help="write the protocol: quality approves it next")
        draft.add_argument("--by", required=True, metavar="USER")
        draft.add_argument("--model", required=True, metavar="NAME@VERSION")
        draft.add_argument("--test-set", required=True, metavar="TST-…")
        draft.add_argument(
            "--criterion", action="append", required=True, type=_criterion, help=_CRITERION
        )
        draft.add_argument("--replaces", required=True, help="what, and how well that does it")
        draft.add_argument("--change", default="", metavar="CC-…")
        usual = Contract()
        draft.add_argument("--drift-alpha", type=float, default=usual.drift_alpha)
        draft.add_argument("--false-alarms", type=float, default=usual.false_alarms)
        draft.add_argument("--misses", type=float, default=usual.misses)
        run = steps.add_parser("run", help="open the set, replay and score it, sign the run")
        self._files(run)
        run.add_argument("qualification", metavar="QUA-…")
        run.add_argument("--why", required=True)

    def _files(self, parser: CommandParser) -> None:
        parser.add_argument("--data", required=True, type=Path, help=_DATA)
        parser.add_argument("--labels", required=True, type=Path, help=_LABELS)
        parser.add_argument("--by", required=True, metavar="USER")

    def handle(self, *args: Any, **options: Any) -> None:
        if options.get("repeat"):
            one_thread.pin(self)
        try:
            self.stdout.write(getattr(self, f"_{options['step']}")(options))
        except Refused as refused:
            raise CommandError(f"{refused.code}: {refused}") from refused

    def _dossier(self, given: dict[str, Any]) -> str:
        version = batch_models.register(given["model"], at=timezone.now())
        files = Files(given["data"], given["labels"], given["truth"])
        batches = qualifying.training(version, files)
        if given["repeat"]:
            qualifying.demand_repeated(version, files)
        dossier = dossiers.prepare(
            version,
            subgroups=given["subgroup"],
            limits=given["limits"],
            training=given["training"],
            batches=batches,
            trainers=[_found(User, username=name) for name in given["trainer"]],
            is_training_repeated=given["repeat"],
            confirmed=self._confirmed(given),
        )
        return (
            f"the dossier of {version.name} is signed; it names {dossier.batches.count()} batches"
        )

    def _seal(self, given: dict[str, Any]) -> str:
        batches = qualifying.test_set(Files(given["data"], given["labels"]), given["exclude"])
        made = sealed_sets.seal(
            name=given["name"],
            batches=batches,
            provenance=given["provenance"],
            label_provenance=given["label_provenance"],
            is_generated=given["generated"],
            exclusions=given["exclude"],
            confirmed=self._confirmed(given),
        )
        return (
            f"{made} is sealed: {made.batches.count()} batches; keep both files where only you are"
        )

    def _draft(self, given: dict[str, Any]) -> str:
        made = protocols.draft(
            _found(ModelVersion, name=given["model"]),
            test_set=_found(SealedTestSet, number=given["test_set"]),
            criteria=given["criterion"],
            replaces=given["replaces"],
            change_number=given["change"],
            contract=Contract(given["drift_alpha"], given["false_alarms"], given["misses"]),
            actor=_found(User, username=given["by"]),
            at=timezone.now(),
        )
        return f"{made} is drafted; quality approves its criteria next"

    def _run(self, given: dict[str, Any]) -> str:
        qualification = _found(Qualification, number=given["qualification"])
        opened = qualifying.opened(qualification, Files(given["data"], given["labels"]))
        made = runs.run(
            qualification,
            labels={one.digest: one.label for one in opened},
            batches=[one.rows_of_batch for one in opened],
            why=given["why"],
            confirmed=self._confirmed(given),
        )
        second = ", a second look" if made.is_second_look else ""
        lines = [f"{made}: {made.get_outcome_display()} (look {made.look.number}{second})"]
        for one in made.verdicts:
            said = one["criterion"]
            lines.append(
                f"{'met    ' if one['is_met'] else 'NOT MET'} {said['metric']} of "
                f"{said['population']} {said['comparison'].replace('-', ' ')} "
                f"{float(said['threshold']):g}: {one['value']}"
            )
        return "\n".join(lines)

    def _confirmed(self, given: dict[str, Any]) -> Confirmed:
        signer = _found(User, username=given["by"])
        if sys.stdin.isatty():
            password = getpass.getpass(f"Password of {signer.username}: ")
        else:
            password = sys.stdin.readline().rstrip("\n")
        return signing.confirm(
            signer=signer, password=password, address="console", at=timezone.now()
        )


def _found(model: type[M], **wanted: str) -> M:
    found = model._default_manager.filter(**wanted).order_by("-pk").first()
    if found is None:
        raise CommandError(f"there is no {model._meta.verbose_name} {', '.join(wanted.values())}")
    return found
