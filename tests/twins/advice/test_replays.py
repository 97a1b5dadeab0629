"""`manage.py replay` advises again, and names what a superuser altered and where."""

import json
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command

from tests.conftest import FreshLog
from tests.twins.advice.conftest import AT, made_alert, made_recipe
from twins.advice import requests, runs
from twins.advice.models import Proposal
from twins.predictions import runs as predictions

Superuser = psycopg.Connection[Any]
Said = dict[str, Any]


@pytest.fixture
def proposal(fresh_log: FreshLog, once: None) -> Proposal:
    """Return an open proposal in a database that can be altered."""
    made = runs.advise(requests.for_alert(made_alert(made_recipe()), at=AT), at=AT)
    assert made is not None
    return made


def _write(superuser: Superuser, proposal: Proposal, **values: str) -> None:
    """Write over columns of a proposal with its guards off, as who owns the database can."""
    with superuser.transaction():
        superuser.execute("ALTER TABLE advice_proposal DISABLE TRIGGER ALL")
        said = ", ".join(f"{name} = %({name})s" for name in values)
        superuser.execute(
            f"UPDATE advice_proposal SET {said} WHERE id = %(id)s", {**values, "id": proposal.pk}
        )


def _with(text: str, change: Callable[[Said], None]) -> str:
    """Return the document with a change, written as the product writes it."""
    said = json.loads(text)
    change(said)
    return json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _more(said: Said) -> None:
    said["move"]["added_l"] = "9.25"


def _other_target(said: Said) -> None:
    said["target"] = "0.3"


def _replayed(capsys: pytest.CaptureFixture[str]) -> str:
    """Repeat everything, which must find one altered proposal; return what is said of it."""
    with pytest.raises(CommandError, match=r"1 of 2 differ from their record: proposal \d+$"):
        call_command("replay", all=True)
    return capsys.readouterr().out


def test_what_nobody_altered_is_the_same_to_the_byte(
    proposal: Proposal, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _with(proposal.output, lambda _: None) == proposal.output

    call_command("replay", all=True)
    whole = capsys.readouterr().out
    call_command("replay", proposal.pk, of="proposal")

    one = f"proposal {proposal.pk}\t{proposal}\tidentical\t{proposal.output_digest}"
    assert one in whole
    assert "2 replayed, all identical to the byte" in whole  # the prediction, and the proposal
    alone = capsys.readouterr().out
    assert one in alone
    assert "1 replayed, all identical to the byte" in alone
    with pytest.raises(CommandError, match="there is no proposal 999"):
        call_command("replay", 999, of="proposal")


def test_an_altered_output_is_found_with_its_place(
    proposal: Proposal, as_superuser: Superuser, capsys: pytest.CaptureFixture[str]
) -> None:
    was = json.loads(proposal.output)["move"]["added_l"]
    _write(as_superuser, proposal, output=_with(proposal.output, _more))

    said = _replayed(capsys)

    assert f"proposal {proposal.pk}\t{proposal}\tDIFFERENT\t{proposal.output_digest}" in said
    assert f"recorded is {proposal.output_digest}" in said
    assert f'\toutput.move.added_l: recorded "9.25", worked out again "{was}"' in said


def test_an_altered_output_whose_digest_was_altered_too_is_found_with_its_place(
    proposal: Proposal, as_superuser: Superuser, capsys: pytest.CaptureFixture[str]
) -> None:
    forged = _with(proposal.output, _more)
    digest = predictions.digest(forged.encode())
    _write(as_superuser, proposal, output=forged, output_digest=digest)

    said = _replayed(capsys)

    assert "stored bytes have digest" not in said
    assert 'output.move.added_l: recorded "9.25"' in said


def test_an_altered_question_is_found_where_the_answer_to_it_parts(
    proposal: Proposal, as_superuser: Superuser, capsys: pytest.CaptureFixture[str]
) -> None:
    forged = _with(proposal.input, _other_target)
    digest = predictions.digest(forged.encode())
    _write(as_superuser, proposal, input=forged, input_digest=digest)

    said = _replayed(capsys)

    assert "stored bytes have digest" not in said
    assert f'output.input_digest: recorded "{proposal.input_digest}", worked out' in said


def test_what_is_no_document_any_more_is_found(
    proposal: Proposal, as_superuser: Superuser, capsys: pytest.CaptureFixture[str]
) -> None:
    forged = [
        ({"output": '{"broken'}, "output: byte 2 is the first that differs"),
        ({"output": "[" * 100_000}, "output: byte 0 is the first that differs"),
        ({"output": '{"\\u001b[2J":1}'}, "output.\\u001b[2J: recorded 1, worked out again null"),
        ({"input": "{}"}, "no answer: KeyError"),
        ({"input": "[" * 100_000}, "no answer: "),
        ({"output_digest": "0" * 64}, f"recorded is {'0' * 64}"),
    ]
    for change, found in forged:
        _write(as_superuser, proposal, **change)

        assert found in _replayed(capsys), change

        _write(as_superuser, proposal, **{name: getattr(proposal, name) for name in change})
    call_command("replay", all=True)


def test_another_state_hides_no_output(
    proposal: Proposal, as_superuser: Superuser, capsys: pytest.CaptureFixture[str]
) -> None:
    _write(
        as_superuser, proposal, state="failed", problem="nothing to see here",
        output=_with(proposal.output, _more),
    )  # fmt: skip

    assert "output.move.added_l" in _replayed(capsys)


def test_a_request_without_advice_cannot_be_repeated(fresh_log: FreshLog) -> None:
    with pytest.raises(requests.AdviceNotReplayable):
        runs.replay(requests.for_alert(made_alert(made_recipe()), at=AT))


def test_what_cannot_be_repeated_is_named_and_hinders_nothing_else(
    proposal: Proposal, as_superuser: Superuser, capsys: pytest.CaptureFixture[str]
) -> None:
    """The twin of an old run may not be installed here any more."""
    with as_superuser.transaction():
        as_superuser.execute("ALTER TABLE hub_modelversion DISABLE TRIGGER ALL")
        as_superuser.execute("UPDATE hub_modelversion SET name = 'of-another-plant'")

    with pytest.raises(CommandError) as ended:
        call_command("replay", all=True)

    said = str(ended.value)
    assert said.startswith(f"2 of 2 could not be repeated: {proposal.prediction_id} (")
    assert f"; proposal {proposal.pk} (there is no twin named of-another-plant" in said
    assert capsys.readouterr().out.count("\tNOT REPEATED\t") == 2
