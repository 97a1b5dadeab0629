"""The catalogue of errors says every code of the source, and nothing else."""

from pathlib import Path

import pytest
from django.test import Client

from compliance.api_contract import error_codes, problems
from compliance.api_contract.management.commands import error_catalogue
from compliance.refusals import Refused

ROOT = Path(__file__).resolve().parents[3]


def test_the_document_is_what_the_source_says() -> None:
    written = (ROOT / "docs" / "errors.md").read_text()

    assert written == error_catalogue.text(), "run manage.py error_catalogue"


def test_every_refusal_has_a_code_that_fits_an_address() -> None:
    error_codes.load()

    known = error_codes.known()

    assert len(known) > 300
    assert all(one.code == one.code.lower() and " " not in one.code for one in known)
    assert all(400 <= one.status < 600 and one.means for one in known)
    assert {one.code for one in known} >= {
        kind.code for kind in Refused.__subclasses__() if "code" in kind.__dict__
    }


@pytest.mark.django_db
def test_the_page_of_a_code_is_open_to_everybody_and_that_of_no_code_is_not_there() -> None:
    client = Client()

    assert "idempotency-key-missing" in client.get("/problems/").content.decode()
    assert client.get("/problems/idempotency-key-missing").status_code == 200
    assert client.get("/problems/none-such").status_code == 404


def test_the_instance_of_a_problem_is_a_reference_whatever_was_asked_for() -> None:
    asked = problems.problem(
        code="not-found", title="Not found", status_code=404, instance="/api/v1/batches/Ä <1>\x0f%"
    )

    assert asked["instance"] == "/api/v1/batches/%C3%84%20%3C1%3E%0F%25"
