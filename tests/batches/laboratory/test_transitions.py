"""Every state x step of the laboratory's other records: allowed, or refused by its own code."""

from enum import StrEnum

import pytest
from django.db import models, transaction

from compliance.access.authority import NotPermitted
from compliance.access.duties import DUTIES, Role
from compliance.refusals import Refused
from tests import factories
from tests.batches.laboratory import attempts
from tests.batches.laboratory.attempts import KINDS, Kind
from tests.batches.laboratory.test_states import OOS, RESULT

pytestmark = [pytest.mark.django_db, pytest.mark.requirement("P11-f1")]
EVERY_STATE = [(kind, state) for kind, one in KINDS.items() for state in one.table]


class _Undo(Exception):
    """Undo what an attempt did, so that the next one finds the same record."""


@pytest.mark.parametrize(("kind", "state"), EVERY_STATE)
def test_a_step_is_possible_in_exactly_the_states_that_allow_it(kind: str, state: str) -> None:
    of = KINDS[kind]
    record = None
    for step in of.attempts:
        if record is None or of.is_made_for_step:
            record = of.make(state, step)
        with pytest.raises(_Undo), transaction.atomic():
            _attempt(of, record, state, step)
            raise _Undo


def _attempt(of: Kind, record: models.Model, state: str, step: StrEnum) -> None:
    before = _stored(record)
    actor = attempts.somebody_for(of.duties[step])
    if step in of.table[state]:
        of.attempts[step](record, actor)
        return
    with pytest.raises(of.refusals) as refused, transaction.atomic():
        of.attempts[step](record, actor)
    assert isinstance(refused.value, Refused)
    assert refused.value.code != Refused.code
    assert refused.value.status == 409
    assert _stored(record) == before


def _stored(record: models.Model) -> dict[str, object]:
    return type(record)._default_manager.filter(pk=record.pk).values()[0]


@pytest.mark.requirement("P11-g1")
@pytest.mark.parametrize("kind", KINDS)
def test_a_step_is_possible_for_exactly_the_roles_that_have_its_duty(kind: str) -> None:
    of = KINDS[kind]
    state = next(iter(of.table))
    people = {role: factories.person(role) for role in Role}
    record = of.make(state, next(iter(of.attempts)))
    for step, attempt in of.attempts.items():
        for role, person in people.items():
            if of.duties[step] not in DUTIES[role]:
                with pytest.raises(NotPermitted), transaction.atomic():
                    attempt(record, person)


def test_the_table_knows_every_state_and_step() -> None:
    from batches.laboratory import states

    for step_type, (_, table) in states._FORBIDS.items():
        attempted = {step for one in KINDS.values() for step in one.attempts}
        attempted |= set(RESULT.ask) | set(OOS.ask)
        left = set(step_type) - attempted
        assert left <= {states.SpecificationStep.CHANGE, states.ResultStep.INVALIDATE}
        assert frozenset().union(*table.values()) <= set(step_type)
