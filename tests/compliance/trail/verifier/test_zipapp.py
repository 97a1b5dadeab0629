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

from compliance.trail.tlog import canonical
from compliance.trail.verifier import build, start
from compliance.trail.verifier.outcome import Result
from tests import damage

# What an inspector installs: cryptography with what it needs, and rfc3161-client.
OWN = (
    "compliance.trail.tlog",
    "compliance.trail.verifier",
    "compliance.trail.entry_form",
    "compliance.trail.evidence_check",
)
PACKAGES = ("cryptography", "cffi", "_cffi_backend", "pycparser", "rfc3161_client")


@pytest.fixture(scope="module")
def bare_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an interpreter that has these packages and nothing else."""
    return python_with(tmp_path_factory.mktemp("bare"), PACKAGES)


def python_with(folder: Path, names: tuple[str, ...]) -> Path:
    venv.create(folder, with_pip=False, symlinks=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    for name in names:
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
        timeout=500,
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


# --- Without one of the packages


@pytest.fixture(scope="module")
def timeless_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an interpreter that lacks the library of time stamps."""
    return python_with(tmp_path_factory.mktemp("timeless"), PACKAGES[:-1])


def test_without_the_time_stamp_library_the_rest_is_verified_and_the_gap_is_said(
    timeless_python: Path, tmp_path: Path
) -> None:
    (tmp_path / "verifier.pyz").write_bytes(build.build())
    damage.write(tmp_path, 0, damage.good(5))
    policy, root = "00000/trust-policy.txt", "00000/trust-tsa-root.pem"
    arguments = ["verifier.pyz", "00000/bundle.zip", "--trust", policy]

    stampless = run(timeless_python, *arguments, folder=tmp_path)
    words = run(timeless_python, *arguments, "--trust", root, folder=tmp_path)
    said = run(timeless_python, *arguments, "--trust", root, "--json", folder=tmp_path)

    assert (stampless.returncode, words.returncode, said.returncode) == (0, 5, 5)
    assert stampless.stderr + words.stderr + said.stderr == ""
    assert words.stdout.startswith("NOT WHOLLY VERIFIED")
    assert "python -m pip install rfc3161-client" in words.stdout
    answer = json.loads(said.stdout)
    assert set(answer["entries"].values()) == {"NOT_CHECKED"}
    assert {one["verdict"] for one in answer["problems"]} == {"NOT_CHECKED"}
    assert {one["file"][:11] for one in answer["problems"]} == {"timestamps/"}


def test_without_the_time_stamp_library_what_is_wrong_is_still_wrong(
    timeless_python: Path, tmp_path: Path
) -> None:
    (tmp_path / "verifier.pyz").write_bytes(build.build())
    damage.write(tmp_path, 0, damage.damaged(sorted(damage.DAMAGES).index("proof_altered")))
    trust = ["--trust", "00000/trust-policy.txt", "--trust", "00000/trust-tsa-root.pem"]

    said = run(
        timeless_python, "verifier.pyz", "00000/bundle.zip", *trust, "--json", folder=tmp_path
    )

    assert said.returncode == 1
    assert "VALID" not in json.loads(said.stdout)["entries"].values()


@pytest.mark.parametrize("names", [(), ("rfc3161_client",)])
def test_without_cryptography_it_says_what_to_install(
    tmp_path: Path, names: tuple[str, ...]
) -> None:
    python = python_with(tmp_path / "python", names)
    (tmp_path / "verifier.pyz").write_bytes(build.build())

    words = run(python, "verifier.pyz", "bundle.zip", folder=tmp_path)
    said = run(python, "verifier.pyz", "bundle.zip", "--json", folder=tmp_path)

    assert (words.returncode, said.returncode) == (5, 5)
    assert words.stderr.startswith("NOTHING WAS VERIFIED")
    assert "python -m pip install cryptography rfc3161-client" in words.stderr
    assert "Traceback" not in words.stderr
    answer = canonical.loads(said.stdout.rstrip("\n").encode())
    assert isinstance(answer, dict)
    assert set(answer) == set(json.loads(Result().to_json()))
    assert answer["exit"] == 5


def test_an_older_python_is_told_which_one_it_needs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ast.parse(Path(start.__file__).read_text(), feature_version=(3, 6))
    monkeypatch.setattr(start, "OLDEST", (99, 0))

    assert start.begin() == 5
    assert "it needs Python 3.11 or newer" in capsys.readouterr().err


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
