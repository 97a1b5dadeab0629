"""Nothing of a dangerous archive is unpacked, and each danger has its own code."""

import io
import stat
import zipfile
from pathlib import Path

import pytest

from tests.twins.models.co_simulation import fmus
from twins.models.co_simulation import archives

GOOD = {archives.DESCRIPTION: b"<fmiModelDescription/>", "resources/a.txt": b"a"}


def _with(entry: zipfile.ZipInfo, content: bytes = b"x") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(archives.DESCRIPTION, b"<fmiModelDescription/>")
        archive.writestr(entry, content)
    return buffer.getvalue()


def test_an_archive_is_unpacked_as_it_is(tmp_path: Path) -> None:
    archives.unpack(fmus.packed(GOOD), tmp_path)

    assert {
        one.relative_to(tmp_path).as_posix(): one.read_bytes()
        for one in tmp_path.rglob("*")
        if one.is_file()
    } == GOOD


@pytest.mark.parametrize(
    "name",
    ["../out", "a/../../out", "/etc/out", "a\\..\\out", "C:out", "a//b", "./a", "a/\x1bb", ""],
)
def test_an_entry_that_names_a_place_outside_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(archives.FmuUnsafe):
        archives.unpack(_with(zipfile.ZipInfo(name)), tmp_path)

    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFBLK, stat.S_IFIFO, stat.S_IFSOCK])
def test_links_and_devices_are_refused(kind: int, tmp_path: Path) -> None:
    entry = zipfile.ZipInfo("resources/link")
    entry.external_attr = (kind | 0o777) << 16

    with pytest.raises(archives.FmuUnsafe):
        archives.unpack(_with(entry, b"/etc/passwd"), tmp_path)

    assert not any(tmp_path.iterdir())


def test_one_place_twice_is_refused_also_in_other_capitals() -> None:
    with pytest.raises(archives.FmuUnsafe, match="twice"):
        archives.check(_with(zipfile.ZipInfo(archives.DESCRIPTION.upper())))


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    bomb = fmus.packed(GOOD | {"resources/zeros": bytes(40 << 20)})

    with pytest.raises(archives.FmuTooLarge, match="times as many"):
        archives.unpack(bomb, tmp_path)

    assert len(bomb) < 100_000
    assert not any(tmp_path.iterdir())


def test_an_archive_that_lies_about_a_size_is_stopped_while_it_is_unpacked(tmp_path: Path) -> None:
    size = 3 << 20
    data = fmus.packed(GOOD | {"resources/zeros": bytes(size)})
    said = (1 << 10).to_bytes(4, "little")

    with pytest.raises((archives.FmuTooLarge, archives.FmuUnreadable)):
        archives.unpack(data.replace(size.to_bytes(4, "little"), said), tmp_path)

    left = [one.stat().st_size for one in tmp_path.rglob("*") if one.is_file()]
    assert max(left) <= 2 << 20


def test_too_many_entries_are_refused() -> None:
    many = {f"a{place}": b"" for place in range(archives.MOST_ENTRIES)}

    with pytest.raises(archives.FmuTooLarge, match="entries"):
        archives.check(fmus.packed(GOOD | many))


@pytest.mark.parametrize(
    "data", [b"", b"PK", b"no archive at all", fmus.packed({"other.xml": b"<a/>"})]
)
def test_what_is_no_fmu_is_refused(data: bytes) -> None:
    with pytest.raises(archives.FmuUnreadable):
        archives.check(data)


def test_a_damaged_archive_is_refused(tmp_path: Path) -> None:
    data = bytearray(fmus.packed(GOOD | {"resources/b": bytes(range(256)) * 20}))
    data[len(data) // 3] ^= 0xFF

    with pytest.raises((archives.FmuUnreadable, archives.FmuUnsafe)):
        archives.unpack(bytes(data), tmp_path)


def test_an_encrypted_entry_is_refused() -> None:
    data = bytearray(fmus.packed(GOOD))
    at = data.rindex(b"PK\x01\x02")
    data[at + 8] |= 1

    with pytest.raises(archives.FmuUnreadable, match="encrypted"):
        archives.check(bytes(data))


def test_a_machine_without_a_library_is_named(tmp_path: Path) -> None:
    archives.unpack(fmus.packed(GOOD | {"binaries/win64/culture.dll": b"MZ"}), tmp_path)

    with pytest.raises(archives.FmuPlatformMissing, match="win64"):
        archives.library(tmp_path, fmi="2", identifier="culture")
