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

SOURCE = Path(__file__).parents[2] / "compliance" / "trail" / "native" / "gmp_capture.c"
COMPILERS = ("cc", "gcc", "clang")
OPTIONS = ("-O2", "-Wall", "-Werror=implicit-function-declaration", "-fPIC")
LINKED = ("-bundle", "-undefined", "dynamic_lookup") if sys.platform == "darwin" else ("-shared",)


def library() -> Path:
    """Return where the library is or would be: one for each source and build of the server."""
    made_of = SOURCE.read_bytes() + (_headers() / "pg_config.h").read_bytes()
    name = hashlib.sha256(made_of).hexdigest()[:16]
    return Path(sys.prefix) / "lib" / "gmp-native" / f"gmp_capture-{name}.so"


def build() -> Path | None:
    """Return the library, built if need be; None without a compiler.

    Raises `subprocess.CalledProcessError` when the compiler refuses the source.
    """
    path = library()
    if path.exists():
        return path
    named = os.environ.get("CC")
    compiler = next(filter(None, map(shutil.which, [named] if named else COMPILERS)), None)
    if compiler is None:
        return None
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        made = Path(folder) / path.name
        command = [compiler, *OPTIONS, *LINKED, f"-I{_headers()}", "-o", str(made), str(SOURCE)]
        subprocess.run(command, check=True)
        made.replace(path)  # whole or not at all
    return path


def _headers() -> Path:
    return programs().parent / "include" / "postgresql" / "server"


def main() -> int:
    found = build()
    if found is None:
        print(  # noqa: T201 -- a command
            "No C compiler: captures run as SQL, with the same entries. For faster writes install "
            "one (apt-get install gcc libc6-dev), then `make setup`."
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
