"""Build the library that runs captures as machine code, for the bundled PostgreSQL.

`python -m config.embedded.native` does it, where there is a C compiler. Without one, or without
the library, the same captures run as SQL: slower, with the same entries.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from config.embedded.bundled import programs

SOURCE = Path(__file__).parents[2] / "compliance" / "trail" / "native"
COMPILERS = ("cc", "gcc", "clang")
OPTIONS = ("-O2", "-Wall", "-Werror=implicit-function-declaration", "-fPIC")
LINKED = ("-bundle", "-undefined", "dynamic_lookup") if sys.platform == "darwin" else ("-shared",)
AS_SQL = (
    "captures run as SQL, with the same entries. For faster writes install a C compiler "
    "(apt-get install gcc libc6-dev), then `make setup`."
)


def library() -> Path:
    """Return where the library is or would be: one for each source and build of the server."""
    files = [*sorted(SOURCE.glob("*.[ch]")), _headers() / "pg_config.h"]
    name = hashlib.sha256(b"".join(one.read_bytes() for one in files)).hexdigest()[:16]
    return Path(sys.prefix) / "lib" / "gmp-native" / f"gmp_capture-{name}.so"


def built() -> list[Path]:
    """Return the library where it was built."""
    path = library()
    return [path] if path.exists() else []


def build() -> str:
    """Build the library if need be; return why there is none, or nothing."""
    path = library()
    if path.exists():
        return ""
    named = os.environ.get("CC")
    compiler = next(filter(None, map(shutil.which, [named] if named else COMPILERS)), None)
    if compiler is None:
        return f"No C compiler: {AS_SQL}"
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        made = Path(folder) / path.name
        sources = map(str, sorted(SOURCE.glob("*.c")))
        command = [compiler, *OPTIONS, *LINKED, f"-I{_headers()}", "-o", str(made), *sources]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode:
            return f"{done.stderr.strip()}\n{compiler} did not build gmp_capture: {AS_SQL}"
        made.replace(path)  # whole or not at all
    return ""


def _headers() -> Path:
    return programs().parent / "include" / "postgresql" / "server"


if __name__ == "__main__":
    if why := build():
        print(why)  # noqa: T201 -- a command
