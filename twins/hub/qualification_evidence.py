"""Say which records of the trail belong to a qualification, for the evidence in its report."""

from collections.abc import Iterable, Iterator

from django.db import models

from compliance.reports.kinds import RecordKey
from compliance.signatures.models import Signature
from compliance.trail import capture
from twins.hub import custody
from twins.hub.models import (
    CustodyLook,
    ModelDossier,
    Qualification,
    SealedBatch,
    TestRun,
    Trainer,
    TrainingBatch,
)


def records(qualification: Qualification) -> list[RecordKey]:
    """Return the records of protocol, test set, version, run, looks, and each signature under one."""
    version, test_set = qualification.version, qualification.test_set
    run = TestRun.objects.filter(qualification=qualification).first()
    found: list[models.Model] = [qualification, version, test_set, *qualification.criteria.all()]
    found += [*([run] if run else []), *([run.deviation] if run and run.deviation else [])]
    for model, chosen in (
        (SealedBatch, {"test_set": test_set}),
        (CustodyLook, {"test_set": test_set}),
        (ModelDossier, {"version": version}),
        (Trainer, {"dossier__version": version}),
        (TrainingBatch, {"dossier__version": version}),
    ):
        found += model._default_manager.filter(**chosen).order_by("pk")
    found += custody.refused(test_set)
    keys = [(capture.record_of(type(one)), str(one.pk)) for one in found]
    return [*keys, *_signatures(keys)]


def _signatures(keys: Iterable[RecordKey]) -> Iterator[RecordKey]:
    by_table: dict[str, list[str]] = {}
    for table, key in keys:
        by_table.setdefault(table, []).append(key)
    for table, inside in by_table.items():
        signed = Signature.objects.filter(record=table, record_id__in=inside).order_by("pk")
        for pk in signed.values_list("pk", flat=True):
            yield capture.record_of(Signature), str(pk)
