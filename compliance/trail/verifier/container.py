"""Write and read the one byte form of a bundle: a ZIP without compression or freedom."""

import re
import struct
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from compliance.trail.verifier.findings import Malformed

_SIZE = r"(?:0|[1-9][0-9]{0,15})"
REQUIRED = frozenset(
    {
        *("README.txt", "completeness.json", "consistency.json", "entries.jsonl"),
        *("manifest.json", "openings.json", "report.html"),
    }
)
_OTHERS = re.compile(
    rf"checkpoints/{_SIZE}\.note|timestamps/{_SIZE}\.(?:note|tsr)|policy\.txt|tsa\.pem|verifier\.pyz"
)
_FOLDERS = frozenset({"checkpoints", "timestamps"})
MAX_FILES = 65_534
MAX_BYTES = 2**32 - 1

# APPNOTE 4.3.7, 4.3.12, 4.3.16. Every field that says nothing has one value: 1980-01-01 for a
# time, no flags, no attributes, no comment.
_LOCAL = struct.Struct("<4sHHHHHIIIHH")
_CENTRAL = struct.Struct("<4sHHHHHHIIIHHHHHII")
_END = struct.Struct("<4sHHHHIIH")
_CRC = 14  # where it is in a local header
_VERSION_MADE_BY, _VERSION, _DATE = 20, 10, 0x21
_LOCAL_SIGN, _CENTRAL_SIGN, _END_SIGN = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"


def is_name(name: str) -> bool:
    """Say whether a file of a bundle can have this name."""
    return name in REQUIRED or bool(_OTHERS.fullmatch(name))


def write(files: Mapping[str, bytes]) -> bytes:
    """Return the bundle of these files; the order of the mapping does not matter."""
    if _is_too_much(files):
        raise ValueError("too much for one bundle: make several")
    out, central = bytearray(), bytearray()
    for name in sorted(files):
        common = (0, 0, 0, _DATE, zlib.crc32(files[name]), len(files[name]), len(files[name]))
        encoded = name.encode("ascii")
        central += _CENTRAL.pack(
            *(_CENTRAL_SIGN, _VERSION_MADE_BY, _VERSION, *common),
            *(len(encoded), 0, 0, 0, 0, 0, len(out)),
        )
        central += encoded
        out += _LOCAL.pack(_LOCAL_SIGN, _VERSION, *common, len(encoded), 0) + encoded
        out += files[name]
    start = len(out)
    end = _END.pack(_END_SIGN, 0, 0, len(files), len(files), len(central), start, 0)
    return bytes(out + central + end)


def read(data: bytes) -> dict[str, bytes]:
    """Return the files of a bundle, or raise `Malformed` for a byte that is not as we write it."""
    files: dict[str, bytes] = {}
    starts = [(0, "the first file")]
    at = 0
    while data[at : at + 4] == _LOCAL_SIGN and len(data) - at >= _LOCAL.size:
        *_, size, length, _extra = _LOCAL.unpack_from(data, at)
        name = data[at + _LOCAL.size : at + _LOCAL.size + length].decode("latin-1")
        if not is_name(name):
            raise Malformed(f"a bundle has no file {name[:80]!r} (byte {at})")
        if name in files:
            raise Malformed(f"there twice (byte {at})", file=name)
        starts.append((at, name))
        at += _LOCAL.size + length
        if at + size > len(data):
            raise Malformed(f"is cut off at byte {len(data)}: was it copied whole?", file=name)
        files[name] = data[at : at + size]
        at += size
        if len(files) > MAX_FILES:
            raise Malformed(f"more files than a bundle can have (byte {at})")
    if _is_too_much(files):
        raise Malformed("longer than a bundle can be")
    if not files and data[:4] != _LOCAL_SIGN:
        raise Malformed("not a bundle: it does not begin as a ZIP file")
    if data[-_END.size :][: len(_END_SIGN)] != _END_SIGN:
        raise Malformed("the list of files is not at its end: cut off, or something follows it")
    again = write(files)
    if again != data:
        starts.append((at, "the list of files at the end"))
        raise _changed(_first_difference(again, data), starts)
    return files


def read_folder(folder: Path) -> dict[str, bytes]:
    """Return the files of an unpacked bundle, or raise `Malformed`."""
    files = {}
    for path in sorted(_walk(folder)):
        name = path.relative_to(folder).as_posix()
        if not is_name(name) or path.is_symlink() or not path.is_file():
            raise Malformed(f"a bundle has no file {name[:80]!r}")
        files[name] = path.read_bytes()
    if _is_too_much(files):
        raise Malformed("more or longer files than a bundle can have")
    return files


def open_path(path: Path) -> dict[str, bytes]:
    """Return the files of a bundle, packed or unpacked; `OSError` when it cannot be read."""
    if path.is_dir():
        return read_folder(path)
    size = path.stat().st_size
    if not path.is_file():
        raise Malformed("neither a file nor a folder")  # a device or a pipe may never end
    if size > MAX_BYTES:
        raise Malformed("longer than a bundle can be")
    if not size:
        raise Malformed("the file is empty: was it copied whole?")
    return read(path.read_bytes())


def _changed(offset: int, starts: list[tuple[int, str]]) -> Malformed:
    """Return the refusal that names where the first byte differs."""
    start, name = max((one for one in starts if one[0] <= offset), key=lambda one: one[0])
    place = f"byte {offset} is not as in a bundle that was written whole"
    if not is_name(name):
        return Malformed(f"{name}: {place}")
    is_checksum = _CRC <= offset - start < _CRC + 4
    return Malformed("content or checksum was changed" if is_checksum else place, file=name)


def _walk(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.name not in _FOLDERS or path.is_symlink() or not path.is_dir():
            yield path
            continue
        inside = list(path.iterdir())
        if not inside:
            raise Malformed(f"the folder {path.name} is empty")
        yield from inside


def _is_too_much(files: Mapping[str, bytes]) -> bool:
    headers = _LOCAL.size + _CENTRAL.size
    size = sum(headers + 2 * len(name) + len(data) for name, data in files.items())
    return len(files) > MAX_FILES or size + _END.size > MAX_BYTES


def _first_difference(one: bytes, other: bytes) -> int:
    step = 1 << 16
    for start in range(0, max(len(one), len(other)), step):
        left, right = one[start : start + step], other[start : start + step]
        if left != right:
            pairs = zip(left, right, strict=False)
            return start + next(
                (n for n, (a, b) in enumerate(pairs) if a != b), min(len(left), len(right))
            )
    return len(one)
