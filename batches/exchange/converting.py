"""Turn raw files of instruments into ASM, in a process of its own with libraries of its own.

The library pins versions that the product cannot have (`jsonschema<4.18`), so it is installed
beside the product: `python -m venv X && X/bin/pip install allotropy`, GMP_ALLOTROPY_PYTHON=X/bin/python.
"""

import json
import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from compliance.refusals import Refused

RUNNER = Path(__file__).parent / "allotropy_runner.py"
_VENDOR = re.compile(r"[A-Z][A-Z0-9_]{1,60}")
_FILENAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,99}")


class ConverterMissing(Refused):
    """This installation has no library that reads the files of instruments."""

    code = "converter-not-installed"
    status = 415


class ConverterNotNamed(Refused):
    code = "converter-not-named"
    status = 422


@dataclass(frozen=True)
class Converted:
    """What the library made of a file, or why it made nothing."""

    program: str
    document: bytes = b""
    failure: str = ""


def demand_possible(vendor: str, filename: str) -> None:
    """Refuse a file that cannot be converted here, before anything is stored."""
    if not vendor:
        raise ConverterNotNamed("name the instrument of a raw file: ?converter=NOVABIO_FLEX2")
    if not _VENDOR.fullmatch(vendor) or not _FILENAME.fullmatch(filename):
        raise ConverterNotNamed(
            "converter is a name such as NOVABIO_FLEX2, and filename that of the file, with its end"
        )
    if not settings.ALLOTROPY_PYTHON:
        raise ConverterMissing(
            "raw files of instruments need allotropy in an environment of its own: "
            "python -m venv X && X/bin/pip install allotropy, and GMP_ALLOTROPY_PYTHON=X/bin/python"
        )


def convert(data: bytes, *, vendor: str, filename: str) -> Converted:
    """Run the library over a file; raise `ConverterMissing` when it cannot be started."""
    demand_possible(vendor, filename)
    with tempfile.TemporaryDirectory(prefix="gmp-convert-") as folder:
        path, made = Path(folder) / "file" / filename, Path(folder) / "made.json"
        path.parent.mkdir()
        path.write_bytes(data)
        try:
            done = subprocess.run(
                [settings.ALLOTROPY_PYTHON, "-I", str(RUNNER), vendor, str(path), str(made)],
                capture_output=True,
                cwd=folder,
                env={"HOME": folder, "PATH": "/usr/bin:/bin", "TMPDIR": folder},
                timeout=settings.ALLOTROPY_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Converted("allotropy", failure="the conversion took too long")
        except OSError as error:
            raise ConverterMissing(
                f"GMP_ALLOTROPY_PYTHON cannot be started ({error.strerror}); install it anew"
            ) from error
        return _read(done, made)


def _read(done: "subprocess.CompletedProcess[bytes]", made: Path) -> Converted:
    """Read the line that the runner prints, and the document that it wrote."""
    said = done.stderr.decode(errors="replace").strip().splitlines()
    try:
        program = str(json.loads(done.stdout)["program"])[:100]
    except (ValueError, KeyError, TypeError):
        if said and "ModuleNotFoundError" in said[-1]:
            raise ConverterMissing(f"allotropy is not installed there: {said[-1][:200]}") from None
        return Converted("allotropy", failure=(said or ["it ended without a word"])[-1][:300])
    if done.returncode or not made.is_file():
        return Converted(program, failure=(said or ["no reason was given"])[-1][:300])
    return Converted(program, document=made.read_bytes())
