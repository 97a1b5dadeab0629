"""An inspector at a terminal: what is wrong is said where it is, and each kind has its own exit code."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from compliance.trail.verifier import __main__ as verifier
from compliance.trail.verifier import build, reading, writing
from tests import damage
from tests.second_verifier import agree

BROKEN_BUNDLE = b"PK\x03\x04 and no more"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a good bundle, a broken one, and what an inspector trusts and holds."""
    folder = tmp_path_factory.mktemp("desk of an inspector")
    case = damage.good(5)
    (folder / "bundle.zip").write_bytes(case.bundle)
    (folder / "broken.zip").write_bytes(BROKEN_BUNDLE)
    (folder / "verifier.pyz").write_bytes(build.build())
    for name, data in (*case.trust, *case.held, ("junk.txt", b"Dear inspector,\n")):
        (folder / name).write_bytes(data)
    (folder / "policy.txt").write_bytes(damage.scene(5).log.policy)
    (folder / "empty.zip").write_bytes(b"")
    (folder / "cut.zip").write_bytes(case.bundle[:3000])
    (folder / "cut-late.zip").write_bytes(case.bundle[:-9])
    (folder / "cut.pem").write_bytes(dict(case.trust)["tsa-root.pem"][:-40])
    return folder


def ran(desk: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-I", "verifier.pyz", *arguments],
        cwd=desk, capture_output=True, check=False, timeout=500,
    )  # fmt: skip


# --- What is given beside the bundle


@pytest.mark.parametrize("bundle", ["bundle.zip", "broken.zip", "absent.zip"])
@pytest.mark.parametrize(
    ("option", "file", "why"),
    [
        ("--trust", "junk.txt", "neither certificates in PEM nor keys"),
        ("--trust", "cut.pem", "cut off"),
        ("--trust", "empty.zip", "it is empty"),
        ("--trust", "absent.txt", "No such file or directory"),
        ("--trust", ".", "Is a directory"),
        ("--checkpoint", "junk.txt", "not a checkpoint"),
        ("--checkpoint", "absent.note", "No such file or directory"),
    ],
)
def test_a_bad_file_beside_the_bundle_is_named_and_the_bundle_not_blamed(
    desk: Path,
    capsys: pytest.CaptureFixture[str],
    bundle: str,
    option: str,
    file: str,
    why: str,
) -> None:
    arguments = [str(desk / bundle), option, str(desk / file)]

    code = verifier.main(["verify", *arguments])
    words = capsys.readouterr().out
    assert verifier.main(["verify", *arguments, "--json"]) == code
    (problem,) = json.loads(capsys.readouterr().out)["problems"]

    assert code == 4
    assert f"UNUSABLE: {desk / file}: " in words
    assert why in words
    assert "says nothing about the bundle" in words
    assert (problem["verdict"], problem["file"]) == ("UNUSABLE", str(desk / file))


@pytest.mark.skipif(agree.why_not() is not None, reason=str(agree.why_not()))
@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["bundle.zip", "--trust", "junk.txt"], 4),
        (["broken.zip", "--trust", "junk.txt"], 4),
        (["broken.zip", "--checkpoint", "junk.txt"], 4),
        (["bundle.zip", "--checkpoint", "absent.note"], 4),
        (["bundle.zip", "--trust", "."], 4),
        (["bundle.zip", "--unknown"], 4),
        ([], 4),
        (["bundle.zip", "another.zip"], 4),
        (["broken.zip", "--trust", "policy.txt"], 2),
        (["empty.zip"], 2),
        (["absent.zip"], 2),
        (["/dev/null"], 2),
        (["bundle.zip"], 3),
        (["bundle.zip", "--trust", "policy.txt", "--trust", "tsa-root.pem"], 0),
    ],
)
def test_both_verifiers_end_with_the_same_code(desk: Path, arguments: list[str], code: int) -> None:
    other = subprocess.run(
        ["node", str(agree.PROGRAM), *arguments], cwd=desk, capture_output=True, check=False
    )

    assert (ran(desk, *arguments).returncode, other.returncode) == (code, code)


# --- The terminal


@pytest.mark.parametrize("arguments", [[], ["bundle.zip", "--unknown"], ["extract", "bundle.zip"]])
def test_a_wrong_command_is_answered_with_how_to_use_it(desk: Path, arguments: list[str]) -> None:
    found = ran(desk, *arguments)

    assert found.returncode == 4
    assert found.stderr.startswith(b"usage:")
    assert b"Traceback" not in found.stderr


def test_the_help_says_what_each_exit_code_means(desk: Path) -> None:
    found = ran(desk, "--help").stdout.decode()

    assert {int(one) for one in re.findall(r"^  ([0-9])  ", found, re.MULTILINE)} == set(
        map(int, verifier.Exit)
    )


def test_a_bundle_alone_is_verified(desk: Path) -> None:
    alone, named = ran(desk, "bundle.zip"), ran(desk, "verify", "bundle.zip")

    assert (alone.returncode, alone.stdout) == (named.returncode, named.stdout)


@pytest.mark.parametrize("extra", [(), ("--json",)])
def test_a_reader_that_goes_away_leaves_no_traceback(desk: Path, extra: tuple[str, ...]) -> None:
    reader, writer = os.pipe()
    os.close(reader)

    found = subprocess.run(
        [sys.executable, "-I", "verifier.pyz", "bundle.zip", *extra],
        cwd=desk, stdout=writer, stderr=subprocess.PIPE, check=False, timeout=500,
    )  # fmt: skip
    os.close(writer)

    assert (found.returncode, found.stderr) == (3, b"")


def test_a_report_that_cannot_be_written_is_said_and_is_no_success(desk: Path) -> None:
    trust = ["--trust", "policy.txt", "--trust", "tsa-root.pem"]

    good = ran(desk, "bundle.zip", *trust, "--html", "no folder/result.html")
    unanchored = ran(desk, "bundle.zip", "--html", "no folder/result.html")
    broken = ran(desk, "broken.zip", "--html", "result.html")

    assert (good.returncode, unanchored.returncode, broken.returncode) == (4, 3, 2)
    assert b"no folder/result.html was not written: No such file or directory" in good.stderr
    assert good.stdout.startswith(b"VERIFIED")
    assert b"result.html was not written" in broken.stderr
    assert not (desk / "result.html").exists()


def test_proofs_that_cannot_be_written_are_no_fault_of_the_bundle(desk: Path) -> None:
    found = ran(desk, "extract", "bundle.zip", "junk.txt/folder")
    broken = ran(desk, "extract", "broken.zip", "folder")

    assert (found.returncode, broken.returncode) == (4, 2)
    assert b"junk.txt" in found.stderr
    assert b"Traceback" not in found.stderr + broken.stderr


def test_names_that_are_no_text_are_shown_and_answered(desk: Path) -> None:
    name = os.fsdecode(b"tr\xfcst file.txt")
    (desk / name).write_bytes(b"Dear inspector,\n")

    words, machine = (ran(desk, "bundle.zip", "--trust", name, *more) for more in ((), ("--json",)))

    assert (words.returncode, machine.returncode) == (4, 4)
    assert json.loads(machine.stdout)["problems"][0]["file"] == "tr\\xfcst file.txt"
    assert words.stderr + machine.stderr == b""


@pytest.mark.parametrize(
    ("bundle", "why"),
    [
        ("empty.zip", b"the file is empty"),
        ("junk.txt", b"does not begin as a ZIP file"),
        ("cut.zip", b"is cut off at byte 3000: was it copied whole?"),
        ("cut-late.zip", b"the list of files is not at its end"),
        ("/dev/zero", b"neither a file nor a folder"),
    ],
)
def test_what_is_no_bundle_is_named_at_once(desk: Path, bundle: str, why: bytes) -> None:
    found = ran(desk, bundle)

    assert found.returncode == 2
    assert why in found.stdout


def test_a_file_that_claims_to_be_huge_is_not_read(desk: Path) -> None:
    with (desk / "huge.zip").open("wb") as file:
        file.truncate(2**40)

    found = ran(desk, "huge.zip")

    assert found.returncode == 2
    assert b"longer than a bundle can be" in found.stdout


# --- Older bundles


def test_a_bundle_with_the_readme_of_a_former_version_is_read() -> None:
    former = Path(__file__).with_name("readme-before-2026-11-27.txt").read_bytes()
    assert writing.is_readme(former)
    assert not writing.is_readme(former + b" ")
    made = damage.scene(5)
    files = writing.files(made.contents) | {"README.txt": former}
    files["manifest.json"] = writing.manifest(
        made.contents, {name: data for name, data in files.items() if name != "manifest.json"}
    )

    assert reading.read(files) == made.contents
