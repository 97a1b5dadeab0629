"""The container has one byte form: everything else is refused, and nothing is unpacked outside."""

import io
import zipfile
from pathlib import Path

import pytest

from compliance.trail import bundles
from compliance.trail.verifier import container, reading, writing
from compliance.trail.verifier.contents import Kind, Subject
from compliance.trail.verifier.findings import Malformed
from tests import damage, synthetic_log


@pytest.fixture(scope="module")
def small() -> bytes:
    log = synthetic_log.SyntheticLog(seed=3, has_second_key=False)
    log.insert("batches", "1", state="planned")
    log.seal()
    log.checkpoint()
    about = Subject(kind=Kind.RECORD, title="B", records=(("batches", "1"),))
    return writing.bundle(bundles.gather(log, about, created_at=log.now))


def refused(data: bytes) -> bool:
    try:
        reading.read(container.read(data))
    except Malformed:
        return True
    return False


def test_a_changed_byte_at_every_offset_is_refused(small: bytes) -> None:
    assert not refused(small)

    accepted = []
    data = bytearray(small)
    for at in range(len(data)):
        data[at] ^= 1 << at % 8
        if not refused(bytes(data)):
            accepted.append(at)
        data[at] ^= 1 << at % 8

    assert accepted == []


def test_every_prefix_is_refused(small: bytes) -> None:
    accepted = [end for end in range(0, len(small), 7) if not refused(small[:end])]

    assert accepted == []


@pytest.mark.parametrize("place", ["entries.jsonl", "openings.json", "report.html"])
def test_the_place_of_a_changed_byte_is_named(small: bytes, place: str) -> None:
    at = small.index(place.encode() + container.read(small)[place]) + len(place) + 1
    changed = small[:at] + bytes([small[at] ^ 1]) + small[at + 1 :]

    with pytest.raises(Malformed) as caught:
        container.read(changed)

    assert caught.value.problem.file == place


@pytest.mark.parametrize("offset", [0, 1])
def test_bytes_before_and_behind_are_refused(small: bytes, offset: int) -> None:
    assert refused(small + b"\0" if offset else b"\0" + small)


def test_a_comment_is_refused(small: bytes) -> None:
    out = io.BytesIO(small)
    with zipfile.ZipFile(out, "a") as archive:
        archive.comment = b"hello"

    assert refused(out.getvalue())


def _zipped(files: dict[str, bytes], *, compression: int = zipfile.ZIP_STORED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as archive:
        for name, data in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(name), data, compress_type=compression)
    return out.getvalue()


def test_compressed_members_are_refused_and_not_inflated(small: bytes) -> None:
    bomb = container.read(small) | {"entries.jsonl": bytes(10**8)}

    packed = _zipped(bomb, compression=zipfile.ZIP_DEFLATED)

    assert len(packed) < 2 * 10**6
    assert refused(packed)


def test_the_zip_of_another_writer_is_refused(small: bytes) -> None:
    assert refused(_zipped(container.read(small)))


@pytest.mark.parametrize(
    "name",
    [
        "../evil",
        "/etc/passwd",
        "checkpoints/../../evil",
        "checkpoints/01.note",
        "checkpoints/1.note\0",
        "checkpoints\\1.note",
        "entries.JSONL",
        "checkpoints/",
        "",
    ],
)
def test_other_names_are_refused(small: bytes, name: str) -> None:
    packed = container.write(container.read(small) | {name: b""})

    with pytest.raises(Malformed):
        container.read(packed)


def test_a_name_that_is_there_twice_is_refused(small: bytes) -> None:
    files = container.read(small)
    twice = container.write({"README.txt": files["README.txt"]})
    end = twice.index(b"PK\x01\x02")

    with pytest.raises(Malformed, match="twice"):
        container.read(twice[:end] + small)


def test_overlapping_members_are_refused(small: bytes) -> None:
    # The trick of a bomb without compression: many headers that name the same bytes.
    files = container.read(small)
    packed = bytearray(container.write(files))
    central = packed.index(b"PK\x01\x02")
    packed[central + 42 : central + 46] = (7).to_bytes(4, "little")

    assert refused(bytes(packed))


def test_a_missing_file_is_refused(small: bytes) -> None:
    for name in container.read(small):
        files = container.read(small)
        del files[name]

        assert refused(container.write(files))


def test_a_folder_with_more_than_the_files_is_refused(small: bytes, tmp_path: Path) -> None:
    for name, data in container.read(small).items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)
    (tmp_path / "notes.txt").write_text("mine")

    with pytest.raises(Malformed):
        container.read_folder(tmp_path)


@pytest.mark.parametrize(
    "extra", ["empty", "timestamps", "checkpoints/deeper", "checkpoints/checkpoints/checkpoints"]
)
def test_a_folder_with_more_than_the_folders_is_refused(
    small: bytes, tmp_path: Path, extra: str
) -> None:
    for name, data in container.read(small).items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)
    assert container.write(container.read_folder(tmp_path)) == small
    (tmp_path / extra).mkdir(parents=True)

    with pytest.raises(Malformed):
        container.read_folder(tmp_path)


@pytest.mark.parametrize("count", [65_535, 65_536])
def test_more_files_than_a_bundle_may_have_are_refused(count: int) -> None:
    names = [f"checkpoints/{number}.note".encode() for number in range(count)]
    heads = [container._LOCAL.pack(b"PK\x03\x04", 10, 0, 0, 0, 0x21, 0, 0, 0, len(name), 0) + name
             for name in names]  # fmt: skip

    with pytest.raises(Malformed, match="more files"):
        container.read(b"".join(heads))


def test_what_would_be_too_long_with_its_list_of_files_is_refused(
    small: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(container, "MAX_BYTES", len(small) - 1)

    with pytest.raises(Malformed, match="longer"):
        container.read(small)


def test_a_link_in_a_folder_is_refused(small: bytes, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_bytes(b"secret")
    folder = tmp_path / "bundle"
    folder.mkdir()
    (folder / "policy.txt").symlink_to(outside)

    with pytest.raises(Malformed):
        container.read_folder(folder)


def test_a_sample_of_changed_bytes_in_large_bundles_is_refused() -> None:
    for seed in range(6):
        data = bytearray(writing.bundle(damage.scene(seed).contents))
        for at in range(seed, len(data), 997):
            data[at] ^= 0x20
            assert refused(bytes(data)), (seed, at)
            data[at] ^= 0x20
