"""What people enter counts: a value that they measured, and a check that changes no value."""

import pytest

from batches.disposition import later_entries, specification
from batches.execution import verification
from batches.execution.models import Batch
from batches.recipes.drafts import ParameterDraft, RecipeDraft
from batches.recipes.models import Criticality, ParameterKind
from compliance.access.duties import Role
from tests import factories

pytestmark = pytest.mark.django_db
CONTENT = RecipeDraft(
    title="A culture whose pH a person checks",
    phases=[("Bioreactor", "Growth")],
    parameters=[
        ParameterDraft(
            tag="ph", name="pH", kind=ParameterKind.IN_PROCESS, unit="[pH]",
            criticality=Criticality.OTHER, is_required=True,
        )
    ],
)  # fmt: skip


def test_a_demanded_in_process_control_is_there_once_a_person_entered_it() -> None:
    phase = factories.ready_phase(CONTENT)
    assert list(specification.missing(phase.batch)) == [
        "ph: the recipe demands an in-process control"
    ]

    factories.in_process(phase, value="7.02")

    assert list(specification.missing(phase.batch)) == []


def test_the_check_of_an_entry_is_no_change_of_it() -> None:
    phase = factories.ready_phase(CONTENT)
    entered = factories.in_process(phase, value="7.02")

    verification.verify(entered, confirmed=factories.confirmed(factories.person(Role.SUPERVISOR)))

    found = later_entries.changes(Batch.objects.get(pk=phase.batch_id))
    assert list(found.found) == []
