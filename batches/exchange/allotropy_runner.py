"""Convert one file of an instrument to ASM; run by another Python, it imports nothing of ours."""

import contextlib
import json
import resource
import sys
from importlib import metadata
from pathlib import Path

MOST_MEMORY = 2 * 1024**3
MOST_SECONDS = 120
MOST_WRITTEN = 32 * 1024**2


def main(vendor: str, path: str, made: str) -> int:
    """Print the program with its version, and write the document to the file `made`."""
    for what, most in (
        (resource.RLIMIT_AS, MOST_MEMORY),
        (resource.RLIMIT_CPU, MOST_SECONDS),
        (resource.RLIMIT_FSIZE, MOST_WRITTEN),
    ):
        resource.setrlimit(what, (most, most))
    from allotropy.parser_factory import Vendor
    from allotropy.to_allotrope import allotrope_from_file

    program = f"allotropy {metadata.version('allotropy')} {vendor}"
    sys.stdout.write(json.dumps({"program": program}) + "\n")
    sys.stdout.flush()
    if vendor not in Vendor.__members__:
        sys.stderr.write(f"allotropy reads no files of {vendor}\n")
        return 2
    try:
        with contextlib.redirect_stdout(sys.stderr):
            document = allotrope_from_file(path, Vendor[vendor])
    except Exception as error:
        # Whatever another library raises over a file is its answer about that file.
        sys.stderr.write(f"{type(error).__name__}: {' '.join(str(error).split())[:250]}\n")
        return 1
    with Path(made).open("w", encoding="utf-8") as file:
        json.dump(document, file, ensure_ascii=False)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:4]))
