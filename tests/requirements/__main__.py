"""Map the requirements to their tests: run the marked tests, or read the records of earlier runs.

`python -m tests.requirements` runs them and writes docs/requirements.md; with files, it joins what
`pytest --requirements-record=FILE` wrote in them. Exit 1: a row that is covered has no passing test.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from tests.requirements import document, mapping, rows
from tests.requirements.recorder import MARKER


def main(names: list[str]) -> int:
    files = [Path(name) for name in names]
    if not files:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "record.json"
            command = [
                sys.executable,
                "-m",
                "pytest",
                "-q",
                "-m",
                MARKER,
                f"--requirements-record={file}",
            ]
            subprocess.run(command, cwd=rows.ROOT, check=False)
            if not file.exists():
                return 1
            found = mapping.read([file])
    else:
        found = mapping.read(files)
    shown = mapping.of(rows.read(), found)
    document.FILE.write_text(document.written(shown), encoding="utf-8")
    problems = mapping.problems(shown)
    for problem in problems:
        print(problem, file=sys.stderr)
    print(f"{document.FILE}: {len(shown)} rows, {len(problems)} without a passing test")
    return 1 if problems else 0


sys.exit(main(sys.argv[1:]))
