"""What the trail costs: audited writes beside the same writes unaudited, sealing, verification.

Runs on a database of its own under a temporary folder, or on DATABASE_URL when that is set.
"""

import os
import shutil
import sys
import tempfile
import time
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from pathlib import Path

RESULTS = Path(os.environ.get("GMP_VAR_DIR", "var")).absolute() / "bench"
FOLDER = Path(tempfile.mkdtemp(prefix="gmp-bench-"))
os.environ["GMP_VAR_DIR"] = str(FOLDER)
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

import django  # noqa: E402 -- the folder must be named before the settings are read

django.setup()

from django.apps import AppConfig, apps  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection, connections, transaction  # noqa: E402

from compliance.trail import capture, recording, sequencer, verification  # noqa: E402
from compliance.trail.recording import System  # noqa: E402
from config.embedded import lease  # noqa: E402
from tests.bench import measuring  # noqa: E402
from tests.bench.measuring import Row  # noqa: E402

AT = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
SINGLES, BULK, ROUNDS = 1000, 20_000, 5


class Action(StrEnum):
    MEASURED = "bench.measured"


def main() -> int:
    try:
        rows = run()
        measuring.report("trail", rows, folder=RESULTS)
    finally:
        connections.close_all()
        lease.release_all()
        shutil.rmtree(FOLDER, ignore_errors=True)
    return 0


def run() -> list[Row]:
    config = AppConfig.create("tests.bench.bench_app")
    config.apps = apps
    apps.app_configs[config.label] = config
    config.import_models()
    apps.clear_cache()
    audited, plain = apps.get_model("bench_app.Audited"), apps.get_model("bench_app.Plain")
    call_command("migrate", verbosity=0)
    owner = connections["owner"]
    with owner.schema_editor() as editor:
        editor.create_model(audited)
        editor.create_model(plain)
    with transaction.atomic(using="owner"):
        capture.install(owner)

    def values(number: int) -> dict[str, object]:
        return {
            "number": f"R-{number}", "title": "Glucose below its limit on day 6", "state": "open",
            "text": "The probe and the laboratory agree. " * 6, "low": Decimal("11.0000"),
            "high": Decimal("45.0000"), "opened_at": AT, "due_on": date(2026, 3, 31),
        }  # fmt: skip

    def act():  # type: ignore[no-untyped-def]
        return recording.recording(
            Action.MEASURED, actor=System("bench"), at=AT, reason="measured here"
        )

    def create(model, block):  # type: ignore[no-untyped-def]
        for number in range(SINGLES):
            with block():
                model.objects.create(**values(number))

    def get_save(model, block):  # type: ignore[no-untyped-def]
        for pk in model.objects.order_by("pk").values_list("pk", flat=True)[:SINGLES]:
            with block():
                record = model.objects.get(pk=pk)
                record.count += 1
                record.save()

    def bulk(model, block):  # type: ignore[no-untyped-def]
        with block():
            model.objects.bulk_create([model(**values(n)) for n in range(BULK)], batch_size=2000)

    def update(model, block):  # type: ignore[no-untyped-def]
        first = model.objects.order_by("-pk").values_list("pk", flat=True)[BULK - 1]
        with block():
            changed = model.objects.filter(pk__gte=first).update(
                count=time.perf_counter_ns() % 10**9
            )
            assert changed == BULK

    rows = []
    works = (("create", create, SINGLES), ("get_save", get_save, SINGLES),
             ("bulk_create", bulk, BULK), ("queryset_update", update, BULK))  # fmt: skip
    for name, work, count in works:
        before = _entries()
        ours, theirs = measuring.beside(
            lambda work=work: work(audited, act),  # type: ignore[misc]
            lambda work=work: work(plain, transaction.atomic),  # type: ignore[misc]
            rounds=ROUNDS,
        )
        captured = _entries() - before
        if captured != count * (ROUNDS + 1):
            sys.exit(
                f"{name}: {captured} entries for {count * (ROUNDS + 1)} rows: no figure counts"
            )
        micro = 1e6 / count
        rows.append(Row(name, ours.cpu_s * micro, "us CPU/row", theirs.cpu_s * micro,
                        ours.cpu_s / theirs.cpu_s))  # fmt: skip
        rows.append(Row(f"{name}_wall", ours.wall_s * micro, "us/row", theirs.wall_s * micro,
                        ours.wall_s / theirs.wall_s))  # fmt: skip
    rows += _sealed_and_verified()
    return rows


def _sealed_and_verified() -> list[Row]:
    entries = _entries()
    before = time.perf_counter()
    while sequencer.seal().count:
        pass
    sealed_s = time.perf_counter() - before
    before = time.perf_counter()
    report = verification.verify()
    verified_s = time.perf_counter() - before
    if report.faults:
        sys.exit(f"the trail does not verify: {report.faults[0]}")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sum(pg_total_relation_size(inhrelid)) FROM pg_inherits "
            "WHERE inhparent = 'audit.entry'::regclass"
        )
        (size,) = cursor.fetchone()
    return [
        Row("seal_rate", entries / sealed_s, "entries/s"),
        Row("verify_rate", entries / verified_s, "entries/s"),
        Row("bytes_per_entry", float(size) / entries, "bytes"),
    ]


def _entries() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM audit.entry")
        return int(cursor.fetchone()[0])


if __name__ == "__main__":
    sys.exit(main())
