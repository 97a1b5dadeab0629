"""Archive files: cut, verified alone, compared with the log, and adopted after a crash."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.db import connections

from compliance.trail import archiving, keys, stored
from compliance.trail.findings import Fault, Verdict
from compliance.trail.models import LogEvent
from compliance.trail.tlog import archive_file, leaf, merkle, subtrees
from compliance.trail.tlog.archive_file import Archive, ArchiveInvalid
from tests import trail_log
from tests.compliance.trail.life.conftest import SPAN, Archives, archived


def faults(archives: Archives) -> list[Fault]:
    return list(archiving.check_all(archives.folder))


def altered(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.chmod(0o644)
    path.write_bytes(data)


def test_every_whole_span_under_a_checkpoint_is_archived_once(archives: Archives) -> None:
    again = archived(archives.folder)

    assert [(one.start, one.end) for one in archives.spans] == [(0, SPAN), (SPAN, 2 * SPAN)]
    assert again == []
    assert faults(archives) == []
    assert LogEvent.objects.filter(kind="archive").count() == 2


@pytest.mark.requirement("A11-16/17")
def test_a_file_alone_proves_its_entries_against_the_signed_checkpoint(archives: Archives) -> None:
    for span in archives.spans:
        found = Archive((archives.folder / span.file).read_bytes())

        found.verify()

        checkpoint = keys.history().open(found.manifest.checkpoint)
        assert checkpoint == found.manifest.claimed()
        assert checkpoint.size == archives.size


def test_an_archived_body_and_a_proof_of_the_log_are_full_evidence(archives: Archives) -> None:
    with connections["default"].cursor() as cursor:
        state = stored.state(cursor)
        reader = stored.reader(cursor)
        for index in (0, 255, 256, 300, 511):
            proof = merkle.inclusion_proof(index, state.size, reader)
            found = next(
                one for one in archiving.entries(archives.spans[index // SPAN])
                if one.index == index
            )  # fmt: skip
            body = archiving.read_body(index)

            assert body == found.body
            sealed = leaf.Leaf(
                origin=state.origin,
                index=index,
                digest=leaf.entry_digest(body),
                previous=found.previous,
            )
            merkle.verify_inclusion(sealed.hash, index, state.size, proof, state.root)


def test_a_leaf_that_is_not_archived_is_told_so(archives: Archives) -> None:
    with pytest.raises(archiving.NotArchived):
        archiving.read_body(2 * SPAN)


def test_a_removed_file_is_named(archives: Archives) -> None:
    (archives.folder / archives.spans[1].file).unlink()

    (fault,) = faults(archives)

    assert (fault.verdict, fault.index) == (Verdict.MISSING, SPAN)


def test_two_swapped_files_are_both_named(archives: Archives) -> None:
    one, other = (archives.folder / span.file for span in archives.spans)
    middle = archives.folder / "middle"
    one.rename(middle), other.rename(one), middle.rename(other)

    found = faults(archives)

    assert [(fault.verdict, fault.index) for fault in found] == [
        (Verdict.TAMPERED, 0),
        (Verdict.TAMPERED, SPAN),
    ]
    assert "stands in the place of" in found[0].message
    with pytest.raises(ArchiveInvalid, match="in the place of"):
        archiving.read_body(3)


def test_a_flipped_byte_is_named_at_its_leaf_and_the_others_are_still_read(
    archives: Archives,
) -> None:
    span = archives.spans[1]
    path = archives.folder / span.file
    content = Archive(path.read_bytes())
    body = content.at(SPAN + 44).body
    altered(path, path.read_bytes().index(body) + len(body) // 2)

    found = faults(archives)

    assert [(fault.verdict, fault.index) for fault in found] == [(Verdict.TAMPERED, SPAN + 44)]
    with pytest.raises(ArchiveInvalid, match=f"leaf {SPAN + 44}"):
        archiving.read_body(SPAN + 44)
    assert archiving.read_body(SPAN + 45) == content.at(SPAN + 45).body


@pytest.mark.requirement("A11-16/17")
def test_no_byte_of_a_file_can_be_flipped_unnoticed(archives: Archives) -> None:
    span = archives.spans[0]
    path = archives.folder / span.file
    content = path.read_bytes()
    places = [*range(0, 3500, 53), *range(3500, len(content), 9973), len(content) - 1]

    for place in places:
        altered(path, place)
        assert faults(archives), place
        path.write_bytes(content)

    path.write_bytes(content + b"\0")
    assert faults(archives)
    path.write_bytes(content[:-1])
    assert faults(archives)
    path.write_bytes(b"")
    assert faults(archives)


def test_an_archive_made_anew_over_other_entries_is_not_the_logs(archives: Archives) -> None:
    """Whoever has the tools can write a file that is consistent in itself, and has no proof."""
    span = archives.spans[0]
    path = archives.folder / span.file
    content = Archive(path.read_bytes())
    chain, rows = leaf.Chain(origin=span.origin), []
    for one in content.entries():
        body = one.body.replace(b"tried in a test", b"never happened ")
        previous = chain.head
        rows.append(
            archive_file.Archived(one.index, previous, chain.append(leaf.entry_digest(body)), body)
        )
    data = archive_file.data_of(rows)
    root = merkle.root_of(one.leaf_hash for one in rows)
    manifest = archive_file.Manifest(
        **{name: getattr(content.manifest, name) for name in content.manifest.__slots__}
        | {"subtree_root": root, "sha256": archive_file.sha256(data).digest()}
    )
    path.chmod(0o644)
    path.write_bytes(archive_file.written(manifest, data))

    messages = " ".join(str(fault) for fault in faults(archives))

    assert "the checkpoint does not cover the archive" in messages
    assert "another root than was archived" in messages
    assert "the stored leaves are not the same" in messages


# --- The maths, exhausted


@pytest.mark.parametrize("size", range(1, 70))
def test_the_proof_of_every_perfect_subtree_verifies_and_no_other(size: int) -> None:
    from compliance.trail.tlog.tiles import Leaves

    hashes = [merkle.leaf_hash(bytes([n])) for n in range(size)]
    reader, root = Leaves(hashes), merkle.root_of(hashes)
    for width in (1, 2, 4, 8, 16, 32, 64):
        for start in range(0, size - width + 1, width):
            end = start + width
            subtree = subtrees.Subtree(start, end, merkle.root_of(hashes[start:end]))
            proof = subtrees.consistency_proof(start, end, size, reader)

            subtrees.verify_consistency(subtree, size, proof, root)

            for number in range(len(proof)):
                wrong = [*proof[:number], bytes(32), *proof[number + 1 :]]
                with pytest.raises(merkle.ProofInvalid):
                    subtrees.verify_consistency(subtree, size, wrong, root)


# --- Crashes

_KILLED = """
import os, sys
from pathlib import Path
import django
django.setup()
from django.conf import settings
from django.db import connections
database, keys, folder = sys.argv[1:]
settings.KEYS_DIR = Path(keys)
for alias in connections:
    connections[alias].settings_dict["NAME"] = database
from django.utils import timezone
from compliance.trail import archiving, log_events
from compliance.trail.recording import System
def killed(*args, **kwargs):
    os.kill(os.getpid(), 9)
log_events.record = killed
archiving.archive(Path(folder), actor=System("test"), at=timezone.now(), reason="x", span=256)
"""


def test_a_file_left_by_a_killed_run_is_checked_and_adopted(fresh_log: Any, tmp_path: Path) -> None:
    trail_log.vessels(300, "A")
    trail_log.seal_and_sign()
    done = subprocess.run(
        [sys.executable, "-c", _KILLED, fresh_log.database, fresh_log.keys, tmp_path / "a"],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings"},
        check=False,
    )
    (path,) = (tmp_path / "a").glob("*.archive")
    before = path.read_bytes()
    assert done.returncode == -signal.SIGKILL
    assert archiving.spans() == []

    (span,) = archived(tmp_path / "a")

    assert path.read_bytes() == before
    assert span.file == path.name
    assert list(archiving.check_all(tmp_path / "a")) == []


def test_a_damaged_file_left_by_a_killed_run_is_not_adopted(fresh_log: Any, tmp_path: Path) -> None:
    trail_log.vessels(300, "A")
    trail_log.seal_and_sign()
    (tmp_path / f"1-{0:012}-{256:012}.archive").write_bytes(b"half a fi")

    with pytest.raises(archiving.ArchiveConflict):
        archived(tmp_path)

    assert archiving.spans() == []
