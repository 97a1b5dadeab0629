"""The verifier is one file that runs alone: no product, no Django, no network, no environment."""

import ast
import importlib.util
import io
import json
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from compliance.trail.verifier import build
from tests import damage

# What an inspector installs: cryptography with what it needs, and rfc3161-client.
OWN = ("compliance.trail.tlog", "compliance.trail.verifier", "compliance.trail.entry_form")
PACKAGES = ("cryptography", "cffi", "_cffi_backend", "pycparser", "rfc3161_client")


@pytest.fixture(scope="module")
def bare_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an interpreter that has these packages and nothing else."""
    folder = tmp_path_factory.mktemp("bare")
    venv.create(folder, with_pip=False, symlinks=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    for name in PACKAGES:
        spec = importlib.util.find_spec(name)
        if spec is None or spec.origin is None:
            continue  # an older or newer cryptography needs fewer
        found = Path(spec.origin)
        found = found.parent if found.name == "__init__.py" else found
        (packages / found.name).symlink_to(found)
    return folder / "bin" / "python"


def run(python: Path, *arguments: object, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["env", "-i", str(python), "-W", "error", *map(str, arguments)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.requirement("A11-16/17", "P11-30")
def test_it_runs_in_an_empty_folder_with_a_bare_interpreter(
    bare_python: Path, tmp_path: Path
) -> None:
    (tmp_path / "verifier.pyz").write_bytes(build.build())
    damage.write(tmp_path, 0, damage.good(5))
    damage.write(tmp_path, 1, damage.damaged(sorted(damage.DAMAGES).index("proof_altered")))

    for number, code in (0, 0), (1, 1):
        place = Path(f"{number:05}")
        trust = ["--trust", place / "trust-policy.txt", "--trust", place / "trust-tsa-root.pem"]
        bundle = place / "bundle.zip"
        said = run(bare_python, "verifier.pyz", "verify", bundle, *trust, "--json", folder=tmp_path)

        assert said.stderr == ""
        assert said.returncode == code
        expected = json.loads((tmp_path / place / "case.json").read_text())["answer"]
        assert json.loads(said.stdout) == expected


def test_the_bare_interpreter_has_no_product(bare_python: Path, tmp_path: Path) -> None:
    found = run(bare_python, "-c", "import django", folder=tmp_path)

    assert "ModuleNotFoundError" in found.stderr


def test_it_says_how_to_use_it(bare_python: Path, tmp_path: Path) -> None:
    (tmp_path / "verifier.pyz").write_bytes(build.build())

    said = run(bare_python, "verifier.pyz", "--help", folder=tmp_path)

    assert said.returncode == 0
    assert "verify" in said.stdout


def test_the_file_has_the_same_bytes_wherever_it_is_built(tmp_path: Path) -> None:
    out = tmp_path / "verifier.pyz"

    subprocess.run([sys.executable, "-m", "compliance.trail.verifier.build", str(out)], check=True)

    assert out.read_bytes() == build.build()


def test_it_imports_the_log_the_standard_library_and_two_packages_only() -> None:
    with zipfile.ZipFile(io.BytesIO(build.build())) as archive:
        sources = {
            name: archive.read(name).decode() for name in archive.namelist() if name[-3:] == ".py"
        }

    for name, source in sources.items():
        for module in _imported(source):
            head = module.split(".")[0]
            is_own = module == "compliance.trail" or module.startswith(OWN)
            is_known = head in sys.stdlib_module_names or head in {"cryptography", "rfc3161_client"}
            assert is_own or is_known, f"{name} imports {module}"


def _imported(source: str) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [one.name for one in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.append(node.module)
    return found
