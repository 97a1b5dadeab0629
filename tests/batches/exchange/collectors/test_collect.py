"""The command shows what a buffer holds, and says by its exit code what has to be done."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from batches.exchange.collectors.buffer import Buffer
from batches.exchange.collectors.samples import Aside, Note, Sample, Taken, Target

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
FILE = """
[collector]
source = "gw"
buffer = "b.sqlite3"
most_items = 10
[api]
url = "http://127.0.0.1:9"
token_file = "token"
"""


@pytest.fixture
def config(tmp_path: Path) -> str:
    (tmp_path / "token").touch(mode=0o600)
    (tmp_path / "token").write_text("secret")
    (tmp_path / "gw.toml").write_text(FILE)
    return str(tmp_path / "gw.toml")


@pytest.fixture
def _filled(config: str) -> None:
    buffer = Buffer(Path(config).with_name("b.sqlite3"), source="gw", most=10)
    buffer.put(
        Taken(
            samples=[Sample(Target("B-1", "t", "Cel"), NOON, "36.5")],
            notes=[Note("gap", "", NOON, "nothing came")],
            aside=[Aside("message-invalid", "t: {", NOON)],
        )
    )
    parcel = buffer.parcel(10)
    assert parcel is not None
    buffer.refused(parcel, reasons={1: "no such tag"}, status=422, code="tag-refused", at=NOON)
    buffer.close()


@pytest.mark.usefixtures("_filled")
def test_dead_letters_are_listed_and_only_what_was_refused_is_sent_again(
    config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("collect", "dead-letters", "--config", config)
    call_command("collect", "send-again", "--config", config)
    call_command("collect", "status", "--config", config)

    lines = capsys.readouterr().out.splitlines()
    assert "message-invalid" in lines[0]
    assert "422 tag-refused B-1" in lines[1]
    assert "no such tag" in lines[1]
    assert lines[2:] == ["1 lines are queued again", "gw: 1 waiting, 1 dead letters, 1 notes"]


@pytest.mark.usefixtures("_filled")
def test_notes_are_listed(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("collect", "notes", "--config", config)

    assert capsys.readouterr().out == "2026-03-01T12:00:00.000000Z gap nothing came\n"


def test_a_wrong_file_has_an_exit_code_of_its_own(config: str) -> None:
    Path(config).write_text(FILE.replace("gw", "g w"))

    with pytest.raises(CommandError) as refused:
        call_command("collect", "check", "--config", config)

    assert refused.value.returncode == 78


def test_a_file_without_the_table_of_the_peer_is_refused(config: str) -> None:
    with pytest.raises(CommandError, match=r"no table \[opcua\]") as refused:
        call_command("collect", "opcua", "--config", config)

    assert refused.value.returncode == 78


def test_a_buffer_that_is_not_there_is_said(config: str) -> None:
    with pytest.raises(CommandError, match="no buffer"):
        call_command("collect", "status", "--config", config)
