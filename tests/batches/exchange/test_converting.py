"""Raw files of instruments are read by another program, whose absence or failure is said."""

import os
import stat
from pathlib import Path

import pytest
from django.test import override_settings

from batches.exchange import converting, intake
from batches.exchange.models.messages import Message, MessageState
from batches.laboratory import samples
from compliance.access.models import DeviceKind
from tests import factories
from tests.batches.exchange import posting
from tests.batches.exchange.posting import RAW

FLEX = "allotropy/novabio_flex2/SampleResults2022-06-28_142558.csv"
# The Python of an environment that has allotropy; without it the real run is skipped.
PYTHON = os.environ.get("GMP_TEST_ALLOTROPY_PYTHON", "")


def _program(folder: Path, text: str) -> str:
    """Return a program that stands in the place of the other environment's Python."""
    path = folder / "python"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def test_without_the_program_a_raw_file_is_refused_with_how_to_install_it() -> None:
    with override_settings(ALLOTROPY_PYTHON=""):
        with pytest.raises(converting.ConverterMissing, match="pip install allotropy"):
            converting.convert(b"x", vendor="NOVABIO_FLEX2", filename="a.csv")
    with override_settings(ALLOTROPY_PYTHON="/nowhere/python"):
        with pytest.raises(converting.ConverterMissing, match="cannot be started"):
            converting.convert(b"x", vendor="NOVABIO_FLEX2", filename="a.csv")


@pytest.mark.parametrize(
    "filename", ["../a.csv", "/etc/passwd", "a/b.csv", "", ".hidden", "a\n.csv"]
)
def test_a_name_that_leads_out_of_the_folder_is_refused(filename: str) -> None:
    with override_settings(ALLOTROPY_PYTHON="/bin/true"):
        with pytest.raises(converting.ConverterNotNamed):
            converting.convert(b"x", vendor="NOVABIO_FLEX2", filename=filename)


@pytest.mark.parametrize(
    ("program", "failure"),
    [
        ("echo 'what happened' >&2; exit 3", "what happened"),
        ("exit 0", "it ended without a word"),
        ('echo \'{"program":"p 1"}\'; echo why >&2; exit 1', "why"),
        ("sleep 5", "the conversion took too long"),
        ("kill -9 $$", "it ended without a word"),
    ],
)
def test_a_program_that_fails_is_a_failure_of_that_file(
    tmp_path: Path, program: str, failure: str
) -> None:
    with override_settings(ALLOTROPY_PYTHON=_program(tmp_path, program), ALLOTROPY_SECONDS=1):
        done = converting.convert(b"x", vendor="NOVABIO_FLEX2", filename="a.csv")

    assert (done.failure, done.document) == (failure, b"")


def test_what_the_program_wrote_is_the_document_with_its_version(tmp_path: Path) -> None:
    program = _program(tmp_path, 'echo \'{"program":"p 1"}\'; cat "$4" > "$5"')
    with override_settings(ALLOTROPY_PYTHON=program):
        done = converting.convert(b'{"a": 1}', vendor="NOVABIO_FLEX2", filename="a.csv")

    assert (done.program, done.document, done.failure) == ("p 1", b'{"a": 1}', "")


def test_a_program_without_the_library_is_a_refusal(tmp_path: Path) -> None:
    program = _program(
        tmp_path, "echo \"ModuleNotFoundError: No module named 'allotropy'\" >&2; exit 1"
    )
    with override_settings(ALLOTROPY_PYTHON=program):
        with pytest.raises(converting.ConverterMissing, match="not installed"):
            converting.convert(b"x", vendor="NOVABIO_FLEX2", filename="a.csv")


@pytest.mark.django_db
def test_a_file_that_could_not_be_converted_is_kept_in_quarantine(tmp_path: Path) -> None:
    with override_settings(ALLOTROPY_PYTHON=_program(tmp_path, "echo no >&2; exit 1")):
        message = posting.received(
            b"PK\x03\x04 a raw file", RAW, converter="NOVABIO_FLEX2", filename="a.zip"
        )

    assert message.state == MessageState.QUARANTINED
    assert posting.codes(message) == {"conversion-failed"}
    assert intake.original(message) == b"PK\x03\x04 a raw file"


@pytest.mark.shared
@pytest.mark.django_db
@pytest.mark.skipif(not PYTHON, reason="GMP_TEST_ALLOTROPY_PYTHON names no Python with allotropy")
def test_a_raw_file_of_an_instrument_lands_with_the_version_of_its_parser(shared: Path) -> None:
    batch = factories.running_batch()
    sample = factories.sample(batch)
    samples.take(
        batch, number="SMPL_1234", taken_at=factories.NOON.replace(year=2022), actor=sample.source,
        at=factories.NOON,
    )  # fmt: skip
    posting.mapping(
        {**posting.ASM, "results": [{**posting.ASM["results"][0], "tag": "lactate_mmol_l"}]}
    )
    file = shared / "data/exchange" / FLEX

    with override_settings(ALLOTROPY_PYTHON=PYTHON):
        message = posting.received(
            file.read_bytes(), RAW, by=factories.device(DeviceKind.LIMS), mapping="declared",
            batch=batch.number, converter="NOVABIO_FLEX2", filename=file.name,
        )  # fmt: skip

    assert message.state == MessageState.MAPPED, message.report["problems"]
    assert message.converted_by.startswith("allotropy 0.")
    assert Message.objects.get().converted is not None
