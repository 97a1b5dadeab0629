"""Make the client from the schema, with the generator in an environment of its own."""

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
FOLDER = Path("var/generated-client")
NAME = "openapi-python-client"


def tool() -> Path | None:
    """Return the generator when it is here."""
    given = Path(os.environ.get("OPENAPI_PYTHON_CLIENT", FOLDER / "venv/bin" / NAME))
    return given.absolute() if given.exists() else None


def install() -> Path:
    """Return the generator; it is installed when it is missing."""
    if found := tool():
        return found
    place = FOLDER / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--clear", place], check=True)
    pip = [place / "bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "-r", HERE / "requirements.txt"], check=True)
    return (place / "bin" / NAME).absolute()


def client(schema: Path, into: Path, *, by: Path) -> Path:
    """Return the folder to import the generated package from."""
    search = f"{by.parent}{os.pathsep}{os.environ['PATH']}"  # it formats with ruff, beside it
    done = subprocess.run(
        [by, "generate", "--path", schema, "--config", HERE / "config.yaml", "--output-path", into,
         "--overwrite"],
        env={**os.environ, "PATH": search}, text=True, capture_output=True, check=False,
    )  # fmt: skip
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert "will not be generated" not in said, said
    return into
