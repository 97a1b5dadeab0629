"""Check the archive of an FMU before anything of it is unpacked, and unpack it within limits.

An FMU is a ZIP file from outside. Nothing in its directory is believed: sizes are counted again while
the bytes come out.
"""

import platform
import stat
import sys
import zipfile
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import Literal

from compliance.refusals import Refused

DESCRIPTION = "modelDescription.xml"
MOST_PACKED = 256 << 20
MOST_UNPACKED = 1 << 30
MOST_DESCRIPTION = 16 << 20
MOST_ENTRIES = 10_000
# Text packs 5 to 20 times, deflate at most 1,032 times: more than this is made to fill a disk.
MOST_RATIO = 200
_CHUNK = 1 << 20
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 0x1


class FmuUnreadable(Refused):
    """The file is no ZIP archive with a model description in it."""

    code = "fmu-archive-unreadable"
    status = 422


class FmuUnsafe(Refused):
    """The archive names a place outside itself, a link, or one place twice."""

    code = "fmu-archive-unsafe"
    status = 422


class FmuTooLarge(Refused):
    """The archive would unpack to more than is allowed."""

    code = "fmu-archive-too-large"
    status = 422


class FmuPlatformMissing(Refused):
    """The FMU brings no library for the machine that should run it."""

    code = "fmu-platform-missing"
    status = 422


def check(data: bytes) -> None:
    """Raise a refusal unless every entry may be unpacked; nothing is unpacked yet."""
    if len(data) > MOST_PACKED:
        raise FmuTooLarge(f"the archive has {len(data)} bytes; at most {MOST_PACKED} are taken")
    with _opened(data) as archive:
        entries = archive.infolist()
        if len(entries) > MOST_ENTRIES:
            raise FmuTooLarge(f"the archive has {len(entries)} entries; at most {MOST_ENTRIES}")
        seen: set[str] = set()
        for entry in entries:
            _check_name(entry.filename, seen)
            _check_kind(entry)
        unpacked = sum(entry.file_size for entry in entries)
        if unpacked > MOST_UNPACKED:
            raise FmuTooLarge(f"the archive unpacks to {unpacked} bytes; at most {MOST_UNPACKED}")
        if unpacked > MOST_RATIO * max(len(data), 1):
            raise FmuTooLarge(
                f"{len(data)} bytes unpack to {unpacked}: more than {MOST_RATIO} times as many"
            )
        if DESCRIPTION not in archive.namelist():
            raise FmuUnreadable(f"the archive holds no {DESCRIPTION}: it is no FMU")
        if archive.getinfo(DESCRIPTION).file_size > MOST_DESCRIPTION:
            raise FmuTooLarge(f"{DESCRIPTION} is larger than {MOST_DESCRIPTION} bytes")


def unpack(data: bytes, folder: Path) -> None:
    """Unpack a checked archive into an empty folder; raise `FmuTooLarge` when its directory lied."""
    check(data)
    left = MOST_UNPACKED
    with _opened(data) as archive:
        for entry in archive.infolist():
            place = folder / PurePosixPath(entry.filename)
            if entry.is_dir():
                place.mkdir(parents=True, exist_ok=True)
                continue
            place.parent.mkdir(parents=True, exist_ok=True)
            left -= _unpack_one(archive, entry, place, min(left, entry.file_size))


def library(folder: Path, *, fmi: Literal["2", "3"], identifier: str) -> Path:
    """Return the FMU's library for this machine; raise `FmuPlatformMissing`."""
    place = platform_folder(fmi)
    found = folder / "binaries" / place / f"{identifier}{_suffix()}"
    if found.is_file():
        return found
    has = sorted(one.name for one in (folder / "binaries").glob("*") if one.is_dir())
    raise FmuPlatformMissing(
        f"there is no binaries/{place}/{found.name} in the FMU; it has libraries for "
        f"{', '.join(has) or 'no machine'}"
    )


def platform_folder(fmi: Literal["2", "3"]) -> str:
    """Return the folder of binaries of this machine (FMI 2.0.4, 2.3; FMI 3.0.2, 2.5.1.4)."""
    machine = platform.machine().lower()
    is_arm = machine in ("aarch64", "arm64")
    system = "darwin" if sys.platform == "darwin" else "linux"
    if fmi == "3":
        return f"{'aarch64' if is_arm else 'x86_64'}-{system}"
    # FMI 2 has no word for ARM on Linux; exporters that build for it use the one of FMI 3.
    return f"aarch64-{system}" if is_arm and system == "linux" else f"{system}64"


def _suffix() -> str:
    return ".dylib" if sys.platform == "darwin" else ".so"


def _opened(data: bytes) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(BytesIO(data))
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError) as error:
        raise FmuUnreadable(f"the file is no ZIP archive: {error}") from error


def _check_name(name: str, seen: set[str]) -> None:
    parts: Sequence[str] = name.removesuffix("/").split("/")
    is_outside = name.startswith("/") or any(part in ("", ".", "..") for part in parts)
    if is_outside or "\\" in name or ":" in name or not name.isprintable():
        raise FmuUnsafe(f"the archive names {name!r}, which is no place inside it")
    # Where capitals do not count, a second name would write over the first.
    folded = name.removesuffix("/").casefold()
    if folded in seen:
        raise FmuUnsafe(f"the archive holds {name!r} twice")
    seen.add(folded)


def _check_kind(entry: zipfile.ZipInfo) -> None:
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise FmuUnsafe(f"{entry.filename!r} of the archive is a link or a device")
    if entry.flag_bits & _ENCRYPTED:
        raise FmuUnreadable(f"{entry.filename!r} of the archive is encrypted")
    if entry.compress_type not in _METHODS:
        raise FmuUnreadable(f"{entry.filename!r} is packed in another way than stored or deflated")


def _unpack_one(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, place: Path, most: int) -> int:
    count = 0
    try:
        with archive.open(entry) as source, place.open("xb") as target:
            while chunk := source.read(_CHUNK):
                count += len(chunk)
                if count > most:
                    raise FmuTooLarge(f"{entry.filename!r} unpacks to more than it says")
                target.write(chunk)
    except (zipfile.BadZipFile, ValueError, EOFError, OSError) as error:
        raise FmuUnreadable(f"{entry.filename!r} cannot be unpacked: {error}") from error
    return count
