"""Pack the verifier into one file that runs with `python verifier.pyz`, always the same bytes."""

import sys
import zipfile
from io import BytesIO
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[3]
_PACKAGES = ("compliance/trail/tlog", "compliance/trail/verifier")
_MODULES = ("compliance/trail/entry_form.py", "compliance/trail/evidence_check.py")
_SHEBANG = b"#!/usr/bin/env python3\n"
_START = b"import sys\n\nfrom compliance.trail.verifier.start import begin\n\nsys.exit(begin())\n"
_EPOCH = (1980, 1, 1, 0, 0, 0)


def build() -> bytes:
    """Return the file: sources of the verifier and of what it uses, and nothing else."""
    sources = {
        "__main__.py": _START,
        "compliance/__init__.py": b"",
        "compliance/trail/__init__.py": b"",
    }
    paths = [_ROOT / module for module in _MODULES]
    paths += [path for package in _PACKAGES for path in (_ROOT / package).iterdir()]
    for path in paths:
        if path.suffix in {".py", ".css", ".txt"}:
            sources[path.relative_to(_ROOT).as_posix()] = path.read_bytes()
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(sources):
            info = zipfile.ZipInfo(name, _EPOCH)
            info.create_system = 3  # else the bytes depend on the machine
            info.external_attr = 0o644 << 16
            archive.writestr(info, sources[name])
    return _SHEBANG + packed.getvalue()


def main() -> None:
    """Write the file where the command line says."""
    if len(sys.argv) != 2:
        sys.exit("usage: python -m compliance.trail.verifier.build OUT")
    Path(sys.argv[1]).write_bytes(build())


if __name__ == "__main__":
    main()
