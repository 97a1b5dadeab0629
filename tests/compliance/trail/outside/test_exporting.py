"""What was exported stays as it was, and tells when the database went back or was altered.

The bucket is one of a real server process on this machine (`moto_server`), over real HTTP.
"""

import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest
from botocore.exceptions import ClientError
from django.db import connection, connections
from django.utils import timezone

from compliance.trail import (
    export_objects,
    exporting,
    keys,
    s3_store,
    stored_tiles,
    timestamping,
    trust,
    witnessing,
)
from compliance.trail.append_stores import ExportConflict, FolderStore, Store, StoreUnusable
from compliance.trail.tlog import merkle, note
from compliance.trail.tlog.checkpoint import Checkpoint
from tests import trail_log
from tests.compliance.trail.outside.conftest import trust as trusting
from tests.tsa import Ca, Tsa
from tests.witnesses import WitnessProcess

# boto3 leaves its pooled connections to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


@pytest.fixture(scope="module")
def s3_server() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as server:
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except ConnectionRefusedError:
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
        server.terminate()


@pytest.fixture
def bucket(s3_server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Return a client with a bucket `worm` that has object lock."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", s3_server)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    client = boto3.client("s3")
    httpx.post(f"{s3_server}/moto-api/reset")
    client.create_bucket(Bucket="worm", ObjectLockEnabledForBucket=True)
    yield client
    client.close()


@pytest.fixture(params=["folder", "bucket"])
def place(request: pytest.FixtureRequest, tmp_path: Path, settings: Any) -> str:
    if request.param == "bucket":
        request.getfixturevalue("bucket")
        settings.EXPORT = "s3://worm/plant/1"
    else:
        settings.EXPORT = str(tmp_path / "worm")
    return str(settings.EXPORT)


def keys_of(store: Store, path: str = "1") -> list[str]:
    found = []
    for name in store.children(path):
        below = f"{path}/{name.rstrip('/')}"
        found += keys_of(store, below) if name.endswith("/") else [below]
    return found


def prefixed(data: bytes, size: int) -> list[bytes]:
    found = []
    while data:
        length = int.from_bytes(data[:size], "big")
        found.append(data[size : size + length])
        data = data[size + length :]
    return found


def test_the_whole_log_can_be_verified_from_the_store_alone(written_log: int, place: str) -> None:
    exported = exporting.export()

    store = exporting.opened()
    assert exported is not None
    assert exported["size"] == written_log == export_objects.largest_checkpoint(store, 1)
    rest = written_log - 256
    tiles = [store.get("1/tile/0/000"), store.get(f"1/tile/0/001.p/{rest}")]
    bundles = [store.get("1/tile/entries/000"), store.get(f"1/tile/entries/001.p/{rest}")]
    bodies = [store.get("1/bodies/000"), store.get(f"1/bodies/001.p/{rest}")]
    signed = store.get(f"{export_objects.checkpoint_folder(1, written_log)}/note")
    assert signed is not None
    opened = Checkpoint.parse(note.open(signed, [keys.verifier(size=1)]).text)
    leaves = [
        one[at : at + 32] for one in tiles if one is not None for at in range(0, len(one), 32)
    ]
    assert merkle.root_of(leaves) == opened.root
    entries = [one for data in bundles if data is not None for one in prefixed(data, 2)]
    assert [sha256(b"\0" + one).digest() for one in entries] == leaves
    found = [one for data in bodies if data is not None for one in prefixed(data, 4)]
    digests = [sha256(b"gmp-audit/entry/v1\0" + one).hexdigest() for one in found]
    assert [re.findall(rb'"d":"([0-9a-f]+)"', one)[0].decode() for one in entries] == digests
    assert len(found) == written_log


def test_an_export_continues_and_the_store_equals_the_database(
    written_log: int, place: str
) -> None:
    first = exporting.export()
    again = exporting.export()
    trail_log.vessels(400, "more")
    grown = trail_log.seal_and_sign()
    second = exporting.export()

    compared = exporting.compare()

    assert first is not None
    assert again == {"size": written_log, "written": 0}
    assert second is not None
    assert second["size"] == grown
    assert compared == {
        "size": grown,
        "stored_size": grown,
        "is_rolled_back": False,
        "missing": [],
        "different": [],
        "foreign": [],
        "disturbed": [],
    }
    names = keys_of(exporting.opened())
    assert {"1/tile/0/001", "1/tile/0/002", "1/bodies/001", "1/tile/1/000.p/3"} <= set(names)
    assert sum(name.endswith("/note") for name in names) == 4


def test_cosignatures_and_tokens_follow_whenever_they_come(
    two_witnesses: list[WitnessProcess],
    written_log: int,
    place: str,
    settings: Any,
    tmp_path: Path,
) -> None:
    trusting(settings, tmp_path, two_witnesses)
    exporting.export()
    with Tsa(Ca(tmp_path / "ca", "Root")).serving() as tsa:
        settings.TSA_URL, settings.TSA_ROOTS = tsa.url, str(tsa.ca.pem)
        witnessing.collect(timezone.now())
        token = timestamping.stamp(timezone.now())

    exported = exporting.export()

    store = exporting.opened()
    folder = export_objects.checkpoint_folder(1, written_log)
    assert exported is not None
    assert exported["written"] == 3
    assert token is not None
    assert store.get(f"{folder}/timestamp.tsr") == token.tsr
    lines = [
        (store.get(f"{folder}/{name}") or b"").decode()
        for name in store.children(folder)
        if name.endswith(".cosignature")
    ]
    policy = trust.policy()
    assert policy is not None
    signed = (store.get(f"{folder}/note") or b"").decode() + "".join(lines)
    assert policy.weigh(signed).is_met
    assert exporting.export() == {"size": written_log, "written": 0}


def test_a_run_that_was_cut_off_is_completed(
    written_log: int, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = type(exporting.opened()).put
    for allowed in (0, 1, 5):
        left = [allowed]

        def put(self: Any, key: str, data: bytes, left: list[int] = left) -> bool:
            if not left[0]:
                raise KeyboardInterrupt
            left[0] -= 1
            return real(self, key, data)

        with monkeypatch.context() as cut:
            cut.setattr(type(exporting.opened()), "put", put)
            with pytest.raises(KeyboardInterrupt):
                exporting.export()

    exported = exporting.export()

    assert exported is not None
    assert exported["size"] == written_log
    compared = exporting.compare()
    assert compared is not None
    assert compared["missing"] == compared["different"] == []


def test_long_logs_go_in_steps(
    written_log: int, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "STEP", 30)

    exporting.export()

    store = exporting.opened()
    assert sum("/run/" in name for name in keys_of(store)) == 3  # one for each checkpoint
    compared = exporting.compare()
    assert compared is not None
    assert (compared["stored_size"], compared["missing"]) == (written_log, [])


def test_several_at_once_write_the_same(written_log: int, place: str) -> None:
    found: list[Any] = []

    def export() -> None:
        try:
            found.append(exporting.export())
        finally:
            connections.close_all()

    threads = [threading.Thread(target=export) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [one["size"] for one in found] == [written_log] * 3
    compared = exporting.compare()
    assert compared is not None
    assert compared["missing"] == compared["different"] == compared["disturbed"] == []


def _rolled_back(as_superuser: Any, size: int) -> None:
    """Take the database back to an earlier checkpoint, as the restore of an old backup does."""
    as_superuser.execute("SET session_replication_role = replica")
    for table, column in (("leaf", "idx"), ("node", "0")):
        as_superuser.execute(f"ALTER TABLE audit.{table} DISABLE TRIGGER ALL")
        as_superuser.execute(f"DELETE FROM audit.{table} WHERE {column} >= {size}")
    as_superuser.execute("ALTER TABLE audit.checkpoint DISABLE TRIGGER ALL")
    as_superuser.execute("DELETE FROM audit.checkpoint WHERE size > %s", [size])
    as_superuser.commit()


def test_a_database_that_went_back_is_reported_and_nothing_is_written(
    written_log: int, place: str, as_superuser: Any
) -> None:
    exporting.export()
    with connection.cursor() as cursor:
        cursor.execute("SELECT size FROM audit.checkpoint ORDER BY size")
        sizes = [size for (size,) in cursor.fetchall()]
    before = keys_of(exporting.opened())
    _rolled_back(as_superuser, sizes[0])

    with pytest.raises(exporting.RolledBack, match=f"{written_log} leaves.* {sizes[0]}"):
        exporting.export()
    compared = exporting.compare()

    assert compared is not None
    assert compared["is_rolled_back"]
    assert (compared["size"], compared["stored_size"]) == (sizes[0], written_log)
    assert [name.split("/")[-2] for name in compared["foreign"]] == [
        f"{size % 1000:03}" for size in sizes[1:]
    ]
    assert keys_of(exporting.opened()) == before


def test_a_rewritten_checkpoint_conflicts_and_is_named(
    written_log: int, place: str, as_superuser: Any
) -> None:
    exporting.export()
    as_superuser.execute("ALTER TABLE audit.checkpoint DISABLE TRIGGER ALL")
    as_superuser.execute(
        "UPDATE audit.checkpoint SET note = note || ' ' WHERE size = %s", [written_log]
    )
    as_superuser.commit()

    with pytest.raises(ExportConflict, match=f"{written_log}/note"):
        exporting.export()

    compared = exporting.compare()
    assert compared is not None
    assert compared["different"] == [f"{export_objects.checkpoint_folder(1, written_log)}/note"]


@pytest.mark.usefixtures("written_log")
@pytest.mark.parametrize(
    ("statement", "error"),
    [
        ("UPDATE audit.leaf SET leaf_hash = sha256('') WHERE idx = 380", exporting.NotSigned),
        ("UPDATE audit.leaf SET leaf_hash = sha256('') WHERE idx = 5", stored_tiles.Altered),
        ("UPDATE audit.leaf SET previous = sha256('') WHERE idx = 5", stored_tiles.Altered),
        ("UPDATE audit.entry SET body = body || ' ' WHERE entry_id = 5", stored_tiles.Altered),
        ("DELETE FROM audit.entry WHERE entry_id = 5", stored_tiles.NotStored),
        ("DELETE FROM audit.node", (exporting.NotSigned, stored_tiles.NotStored)),
    ],
)
def test_an_altered_database_is_not_carved_in_stone(
    settings: Any, tmp_path: Path, as_superuser: Any, statement: str, error: Any
) -> None:
    settings.EXPORT = str(tmp_path / "worm")
    as_superuser.execute("SET session_replication_role = replica")
    for table in ("leaf", "node", "entry"):
        as_superuser.execute(f"ALTER TABLE audit.{table} DISABLE TRIGGER ALL")
    as_superuser.execute(
        "DO $$ DECLARE c record; BEGIN FOR c IN SELECT conrelid::regclass t, conname n "
        "FROM pg_constraint WHERE contype = 'c' AND conrelid = 'audit.entry'::regclass LOOP "
        "EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', c.t, c.n); END LOOP; END $$"
    )
    as_superuser.execute(statement)
    as_superuser.commit()

    with pytest.raises(error):
        exporting.export()

    assert export_objects.largest_checkpoint(exporting.opened(), 1) is None


def test_without_a_place_or_a_checkpoint_nothing_is_exported(
    fresh_log: Any, settings: Any, tmp_path: Path, django_db_blocker: Any
) -> None:
    with django_db_blocker.unblock():
        assert exporting.export() is None
        assert exporting.compare() is None
        settings.EXPORT = str(tmp_path)
        assert exporting.export() is None


def test_a_folder_keeps_the_first_bytes_read_only(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)

    assert store.put("1/a/b", b"first") is True
    assert store.put("1/a/b", b"first") is False
    with pytest.raises(ExportConflict, match="1/a/b"):
        store.put("1/a/b", b"second")

    path = tmp_path / "1/a/b"
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"first", 0o444)
    assert list(store.disturbed()) == []
    path.chmod(0o644)
    assert list(store.disturbed()) == ["1/a/b"]
    assert [one.name for one in path.parent.iterdir()] == ["b"]


@pytest.mark.parametrize(
    "key", ["../x", "/x", "a/../b", "a//b", "a/", "", ".x", "a/.b", "a\n", "ä"]
)
def test_no_key_leads_out_of_the_folder(tmp_path: Path, key: str) -> None:
    with pytest.raises(ValueError, match="is no key"):
        FolderStore(tmp_path / "store").put(key, b"x")


def test_a_killed_writer_leaves_nothing_that_counts(tmp_path: Path) -> None:
    code = (
        "import os, sys, pathlib; from compliance.trail import append_stores as s\n"
        "pathlib.Path.hardlink_to = lambda *_: os.kill(os.getpid(), 9)\n"
        "s.FolderStore(pathlib.Path(sys.argv[1])).put('1/a', b'half')"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False, cwd=Path.cwd())
    store = FolderStore(tmp_path)

    assert (store.get("1/a"), store.children("1")) == (None, [])
    assert store.put("1/a", b"whole") is True


def test_objects_of_a_bucket_are_locked_and_put_once(bucket: Any) -> None:
    store = s3_store.at("s3://worm/p", retention=timedelta(days=10))

    assert store.put("1/a", b"first") is True
    assert store.put("1/a", b"first") is False
    with pytest.raises(ExportConflict, match="1/a"):
        store.put("1/a", b"second")

    head = bucket.head_object(Bucket="worm", Key="p/1/a")
    assert head["ObjectLockMode"] == "COMPLIANCE"
    days = (head["ObjectLockRetainUntilDate"] - datetime.now(UTC)).days
    assert days in {9, 10}
    with pytest.raises(ClientError):
        bucket.delete_object(Bucket="worm", Key="p/1/a", VersionId=head["VersionId"])


def test_what_somebody_hid_or_covered_in_a_bucket_is_read_and_reported(bucket: Any) -> None:
    store = s3_store.at("s3://worm/p", retention=timedelta(days=10))
    for key in ("1/hidden", "1/covered", "1/left"):
        store.put(key, b"first")

    bucket.delete_object(Bucket="worm", Key="p/1/hidden")
    bucket.put_object(Bucket="worm", Key="p/1/covered", Body=b"second")

    assert sorted(store.disturbed()) == ["1/covered", "1/hidden"]
    assert store.children("1") == ["covered", "hidden", "left"]
    assert [store.get(f"1/{name}") for name in ("hidden", "covered", "left")] == [b"first"] * 3


def test_a_bucket_without_lock_is_refused(bucket: Any) -> None:
    bucket.create_bucket(Bucket="plain")

    for name in ("plain", "nowhere"):
        with pytest.raises(StoreUnusable, match="object lock"):
            s3_store.at(f"s3://{name}/p", retention=timedelta(days=10))
