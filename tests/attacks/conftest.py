"""A sealed, witnessed, time-stamped and exported log, made once; every attack has a copy of it."""

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings as product
from django.db import connections
from django.utils import timezone

from compliance.trail import (
    bundles,
    exporting,
    keys,
    log_source,
    seals,
    timestamping,
    verification,
    witnessing,
)
from compliance.trail.tlog.keys import COSIGNATURE_V1
from compliance.trail.verifier import container, writing
from compliance.trail.verifier import verification as offline
from compliance.trail.verifier.contents import Contents, Kind, Subject
from compliance.trail.verifier.outcome import Result
from compliance.trail.verifier.trust import Trust
from tests import conftest as databases
from tests import trail_log, witnesses
from tests.trail_app.models import Contact, Vessel
from tests.tsa import Ca, Tsa
from tests.witnesses import WitnessProcess


@dataclass(frozen=True, kw_only=True)
class SealedLog:
    """The log before any attack; `database` is the one that an attack may break."""

    database: str
    folder: Path
    size: int
    sizes: tuple[int, ...]
    witnesses: tuple[WitnessProcess, ...]
    tsa: Tsa
    bundle: bytes
    notes: dict[int, bytes]
    older: str = ""  # a copy of the database of the second checkpoint, with keys in `older`

    @property
    def trust(self) -> Trust:
        """What an inspector has of it: the policy with the witnesses, and the authority's root."""
        files = (("policy", self.folder / "policy"), ("tsa-root.pem", self.tsa.ca.pem))
        return Trust.read((name, path.read_bytes()) for name, path in files)

    def inspected(self, data: bytes, *held: tuple[str, bytes]) -> Result:
        """Return what an inspector's verifier says about a bundle."""
        return offline.verify(container.read(data), trust=self.trust, held=held)


def records() -> tuple[tuple[str, str], ...]:
    """Return the records that the bundle is about."""
    vessels = Vessel.objects.filter(name__in=["A-5", "A-9", "B-7"])
    found = [("trail_app_vessel", str(one.pk)) for one in vessels]
    return tuple(sorted([*found, ("trail_app_contact", str(Contact.objects.get().pk))]))


def gathered(*, everything: bool = False, sizes: Sequence[int] = ()) -> Contents:
    """Gather a bundle from the database as it is now: of the records, or of all entries."""
    with log_source.opened() as source:
        subject = Subject(kind=Kind.BATCH, title="Batch B-001", records=records())
        if everything:
            whole = (0, source.newest() - 1)
            subject = Subject(kind=Kind.PERIOD, title="everything", range=whole)
        return bundles.gather(source, subject, created_at=timezone.now(), sizes=sizes)


def _write(folder: Path, found: list[WitnessProcess]) -> list[int]:
    """Write the log: four checkpoints, all witnessed, three stamped."""
    trail_log.vessels(600, "A")
    sizes = [trail_log.seal_and_sign()]
    logs = [keys.verifier(size=1).vkey]
    for number, one in enumerate(found, start=1):
        one.logs = logs
        one.start()
        logs_line = f"witness w{number} {one.verifier.vkey} {one.url}"
        with (folder / "policy").open("a") as policy:
            policy.write(f"log {logs[0]}\n{logs_line}\n" if number == 1 else f"{logs_line}\n")
    with (folder / "policy").open("a") as policy:
        policy.write("group g all w1 w2\nquorum g\n")
    _attest()
    with trail_log.act("volume read again"):
        for vessel in Vessel.objects.order_by("pk")[:40]:
            vessel.volume_l = 12
            vessel.save()
        made = Contact.objects.create(name="Ada", email="ada@example.com", phone="+41 1")
    with trail_log.act("another address"):
        made.email = "ada.l@example.com"
        made.save()
    sizes.append(trail_log.seal_and_sign())
    _attest()
    _back_up(folder)
    trail_log.vessels(400, "B")
    with trail_log.act("taken out of service"):
        Vessel.objects.filter(name__in=["B-3", "B-4"]).delete()
    trail_log.seal_and_sign()
    seals.seal(timezone.now())
    sizes.append(trail_log.seal_and_sign())
    _attest()
    sizes.append(trail_log.seal_and_sign())
    witnessing.collect(timezone.now())
    exporting.export()
    return sizes


def _back_up(folder: Path) -> None:
    """Keep database, keys, signer's memory and published folder as they are now."""
    trail_log.seal_and_sign()  # what the authority answered is an entry
    name = connections["default"].settings_dict["NAME"]
    connections.close_all()
    databases._drop(f"{name}_older")
    databases._copy(name, f"{name}_older")
    for one in ("keys", "published"):
        shutil.copytree(folder / one, folder / "older" / one)


def _attest() -> None:
    collected = witnessing.collect(timezone.now())
    assert collected is not None
    assert collected.shortfall == ""
    assert timestamping.stamp(timezone.now()) is not None


def _settings(folder: Path, tsa: Tsa) -> dict[str, Any]:
    return {
        "KEYS_DIR": folder / "keys",
        "PUBLISHED_DIR": folder / "published",
        "VAR_DIR": folder / "var",
        "EXPORT": str(folder / "worm"),
        "LOG_POLICY": str(folder / "policy"),
        "TSA_URL": tsa.url,
        "TSA_ROOTS": str(tsa.ca.pem),
    }


@pytest.fixture(scope="package")
def made_log(
    template_database: str, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SealedLog]:
    """Make the log once: 1,000 entries and more, two witnesses, an authority, an export."""
    name = f"{template_database}_sealed"
    folder = tmp_path_factory.mktemp("sealed")
    pairs = [
        witnesses.KeyPair.generate(f"witness.example/w{n}", algorithm=COSIGNATURE_V1)
        for n in (1, 2)
    ]
    found = [WitnessProcess(folder / f"w{n}", one, []) for n, one in enumerate(pairs, start=1)]
    with (
        django_db_blocker.unblock(),
        Tsa(Ca(folder / "ca", "Root of the harbour")).serving() as tsa,
        pytest.MonkeyPatch.context() as patched,
    ):
        for key, value in _settings(folder, tsa).items():
            patched.setattr(product, key, value)
        databases._drop(name)
        databases._copy(template_database, name)
        try:
            with databases.pointed_at(name):
                sizes = _write(folder, found)
                report = verification.verify()
                assert report.faults == ()
                assert report.entries > 1000
                contents = gathered(sizes=sizes)
                whole = SealedLog(
                    database=name,
                    folder=folder,
                    size=sizes[-1],
                    sizes=tuple(sizes),
                    witnesses=tuple(found),
                    tsa=tsa,
                    bundle=writing.bundle(contents),
                    older=f"{name}_older",
                    notes={size: one.note for size, one in contents.checkpoints.items()},
                )
                good = whole.inspected(whole.bundle)
                assert good.exit == 0, good.problems
            yield whole
        finally:
            for one in found:
                one.kill()
            databases._drop(name)
            databases._drop(f"{name}_older")


@pytest.fixture
def sealed_log(
    made_log: SealedLog, django_db_blocker: Any, settings: Any, tmp_path: Path
) -> Iterator[SealedLog]:
    """Give a test a copy of database, keys, published folder and export to attack."""
    name = f"{made_log.database}_attacked"
    folder = tmp_path / "attacked"
    shutil.copytree(made_log.folder, folder, ignore=shutil.ignore_patterns("w1", "w2", "var"))
    for key, value in _settings(folder, made_log.tsa).items():
        setattr(settings, key, value)
    with django_db_blocker.unblock():
        databases._drop(name)
        databases._copy(made_log.database, name)
        try:
            with databases.pointed_at(name):
                yield SealedLog(**{**vars(made_log), "database": name, "folder": folder})
        finally:
            databases._drop(name)


@pytest.fixture
def superuser(sealed_log: SealedLog) -> Iterator[psycopg.Connection[Any]]:
    """Connect to the copy as an administrator who may do everything."""
    with databases.administrator(sealed_log.database) as connection:
        if connection.execute("SHOW is_superuser").fetchone() != ("on",):
            pytest.skip("the owner's user is no superuser here")
        yield connection
