"""Attacks on the export itself: what says how far it goes is altered, so that nothing is compared."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from compliance.trail import exporting
from compliance.trail.append_stores import ExportConflict
from tests.attacks.conftest import SealedLog

Attack = Callable[[Path], object]


def altered(export: Path) -> None:
    path = export / "bodies" / "000"
    path.chmod(0o644)
    path.write_bytes(b"\1" + path.read_bytes()[1:])
    path.chmod(0o444)


def planted_run(until: str, size: int | str) -> Attack:
    """Plant a run after all others, which says that nothing was covered."""

    def plant(export: Path) -> None:
        path = export / "run/9999/12/31/235959.000000"
        path.parent.mkdir(parents=True)
        path.write_text(f'{{"size":{size},"until":"{until}","v":1}}')
        path.chmod(0o444)

    return plant


def without_bodies(put: Callable[[Path], object]) -> Attack:
    """Put something in the place of a bundle of bodies."""

    def replace(export: Path) -> None:
        path = export / "bodies" / "000"
        path.unlink()
        put(path)

    return replace


HIDDEN: dict[str, tuple[Attack, str]] = {
    "runs taken away": (lambda export: shutil.rmtree(export / "run"), "1/run up to "),
    "an empty year of runs": (lambda export: (export / "run/9999").mkdir(), "1/bodies/000 has"),
    "an empty folder of checkpoints": (
        lambda export: (export / "checkpoint/999").mkdir(), "1/bodies/000 has"
    ),
    "numbers of another script": (
        lambda export: (export / "checkpoint/٣٣٣").mkdir(), "1/bodies/000 has"
    ),
    "a run of nothing": (planted_run("2026-01-01T00:00:00.000000Z", 0), "not what an export"),
    "a run before all time": (planted_run("0001-01-01T00:00:00.000000Z", 0), "not what an export"),
    "a run of less than nothing": (planted_run("9999-12-31T23:59:59.000000Z", -5), "not readable"),
    "everything taken away": (shutil.rmtree, "the export has no checkpoint"),
    "a folder": (without_bodies(Path.mkdir), "1/bodies/000 is not in the export"),
    "a link to itself": (
        without_bodies(lambda path: path.symlink_to(path.name)), "1/bodies/000 is not in the export"
    ),
    "a pipe": (without_bodies(os.mkfifo), "1/bodies/000 is not in the export"),
    "a name that is no text": (
        lambda export: Path(os.fsdecode(os.fsencode(export) + b"/\xff\x1b")).touch(),
        r"1/\udcff\u{1b} was written to",
    ),
}  # fmt: skip


def test_an_export_that_was_altered_is_not_the_same_whatever_hides_it(
    sealed_log: SealedLog, settings: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number, (name, (attack, told)) in enumerate(HIDDEN.items()):
        place = shutil.copytree(settings.EXPORT, tmp_path / str(number))
        settings.EXPORT = str(place)
        if "bodies" not in told or " has" in told:
            altered(place / "1")
        attack(place / "1")

        with pytest.raises(CommandError, match="NOT THE SAME") as failed:
            call_command("trail", "compare-export")

        assert failed.value.returncode == 1, name
        assert told in capsys.readouterr().out + str(failed.value), name
        settings.EXPORT = str(sealed_log.folder / "worm")


def test_what_an_export_puts_during_a_comparison_is_not_foreign(
    sealed_log: SealedLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, looks = exporting.export_objects.foreign, []

    def foreign(*values: Any) -> Any:
        looks.append(values)
        late = ["1/checkpoint/late"] if len(looks) == 1 else []  # the database knew it later
        return iter([*real(*values), "1/checkpoint/planted", *late])

    monkeypatch.setattr(exporting.export_objects, "foreign", foreign)

    compared = exporting.compare()

    assert compared is not None
    assert compared["foreign"] == ["1/checkpoint/planted"]


def test_a_folder_in_the_place_of_an_object_is_never_taken_for_it(
    sealed_log: SealedLog, settings: Any
) -> None:
    export = Path(settings.EXPORT) / "1"
    without_bodies(Path.mkdir)(export)
    shutil.rmtree(export / "run")  # so that everything is put again

    with pytest.raises(ExportConflict, match="1/bodies/000"):
        exporting.export()
