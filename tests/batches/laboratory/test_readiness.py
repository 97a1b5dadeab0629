"""Untrained people do not test, and unfit instruments are not used, where records of them are kept."""

import pytest

from batches.assets.equipment import EquipmentNotUsable
from batches.laboratory import results
from compliance.access import procedures, training
from compliance.access.duties import Role
from tests import factories
from tests.factories import NOON, TEST

pytestmark = pytest.mark.django_db


@pytest.mark.requirement("211-194")
def test_an_untrained_person_neither_runs_nor_reports_a_method() -> None:
    procedure = procedures.create(code="HPLC-12", title="Antibody by HPLC", actor=TEST, at=NOON)
    factories.procedure_version(procedure)
    novice = factories.person(Role.QC_ANALYST, is_trained=False)
    said = {
        "tag": "mab_g_l", "unit": "g/L", "value_text": "3.00", "reported_at": NOON,
        "message_id": "1", "at": NOON,
    }  # fmt: skip
    sample = factories.sample(factories.specified_batch())

    with pytest.raises(training.NotTrained):
        factories.run(by=novice)
    with pytest.raises(training.NotTrained):
        results.report(sample, actor=novice, **said)  # type: ignore[arg-type]
    factories.trained(novice, procedure)

    assert factories.run(by=novice)
    assert results.report(sample, actor=novice, **said)  # type: ignore[arg-type]


@pytest.mark.requirement("211-194")
def test_an_instrument_that_is_not_qualified_is_not_used() -> None:
    known = factories.registered_equipment(code="HPLC-01")

    with pytest.raises(EquipmentNotUsable):
        factories.run()
    factories.qualified(known)

    assert factories.run().equipment == known
