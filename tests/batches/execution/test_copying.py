"""A batch is an exact copy of the effective recipe, and stays one."""

from decimal import Decimal

import pytest
from django.db import DatabaseError, connection, transaction

from batches.execution import batches, copy_checks, copying
from batches.execution.copy_checks import CopyChecked, IssuerChecks
from batches.execution.models import Batch, BatchMaterial, BatchPhase, IssuedCopy
from batches.execution.sizes import Size, SizeInvalid
from batches.quantities.units import UnitMismatch
from batches.recipes import master_recipes
from compliance.access.duties import Role
from compliance.signatures import signing
from compliance.trail import recording
from tests import factories
from tests.factories import NOON, TEST

pytestmark = pytest.mark.django_db


def _issue(size: Size | None = None) -> Batch:
    return batches.issue(
        factories.recipe(), number="B-COPY", actor=factories.person(Role.SUPERVISOR), at=NOON,
        size=size, reason="campaign of March",
    )  # fmt: skip


@pytest.mark.requirement("211-188")
def test_the_issued_copy_has_the_digest_of_the_master_and_every_part_of_it() -> None:
    batch = _issue()

    assert copying.is_exact(batch)
    assert copying.digest(batch.issued_copy, batch.recipe) == master_recipes.digest(batch.recipe)
    for name in ("phases", "parameters", "materials", "yields", "sampling", "labels"):
        assert getattr(batch, name).count() == getattr(batch.recipe, name).count() > 0
    assert batch.equipment_needs.count() == batch.recipe.equipment.count() > 0


def test_every_column_of_a_line_is_copied() -> None:
    batch = _issue()

    for mine, theirs in (
        (batch.parameters.get(tag="ph"), batch.recipe.parameters.get(tag="ph")),
        (batch.materials.get(line=1), batch.recipe.materials.get(line=1)),
    ):
        names = {field.name for field in mine._meta.concrete_fields}
        names -= {"id", "batch", "phase", "material_code"}
        assert {name: getattr(mine, name) for name in names} == {
            name: getattr(theirs, name) for name in names
        }
    line = batch.materials.get(line=1)
    assert line.material_code == batch.recipe.materials.get(line=1).material.code
    assert line.phase.recipe_phase == batch.recipe.materials.get(line=1).phase


def test_quantities_are_scaled_to_the_planned_size() -> None:
    batch = _issue(Size(Decimal("250"), "g"))  # the recipe's batch has 100 g

    assert batch.scale == Decimal("2.5")
    assert batch.materials.get(line=1).quantity == Decimal("25")
    assert batch.yields.get().quantity == Decimal("250")


def test_a_size_in_another_unit_is_refused() -> None:
    with pytest.raises(UnitMismatch):
        _issue(Size(Decimal("250"), "kg"))


@pytest.mark.parametrize("quantity", ["0", "-1", "0.00001", "NaN"])
def test_a_size_that_is_none_is_refused(quantity: str) -> None:
    with pytest.raises(SizeInvalid):
        _issue(Size(Decimal(quantity), "g"))


def test_a_second_person_checks_the_copy_by_signature() -> None:
    batch = _issue()
    checker = factories.person(Role.QUALITY_ASSURANCE)

    checked = copy_checks.check(batch, confirmed=factories.confirmed(checker))

    assert checked.checked_by == checker
    (signature,) = signing.of(batch.issued_copy)
    assert signing.is_current(signature, batch.issued_copy)
    with pytest.raises(CopyChecked):
        copy_checks.check(batch, confirmed=factories.confirmed(checker))


def test_whoever_issued_it_does_not_check_it() -> None:
    both = factories.person(Role.SUPERVISOR, Role.QUALITY_ASSURANCE)
    batch = batches.issue(factories.recipe(), number="B-1", actor=both, at=NOON)

    with pytest.raises(IssuerChecks):
        copy_checks.check(batch, confirmed=factories.confirmed(both))


_ALTER = {
    "recipe": (Batch, "recipe_digest = repeat('0', 64)"),
    "number": (Batch, "number = 'B-OTHER'"),
    "scale": (Batch, "scale = 3"),
    "issued": (Batch, "issued_at = now()"),
    "copy": (IssuedCopy, "content = '{}'"),
    "material": (BatchMaterial, "quantity = 1"),
    "instruction": (BatchPhase, "instruction = 'do something else'"),
    "order": (BatchPhase, '"order" = "order" + 100'),
    "verification": (BatchPhase, "needs_verification = true"),
}


@pytest.mark.requirement("211-188", "211-22a")
@pytest.mark.parametrize("what", _ALTER)
def test_raw_sql_does_not_alter_what_was_issued(what: str) -> None:
    batch = _issue()
    model, change = _ALTER[what]
    column = "id" if model is Batch else "batch_id"

    with pytest.raises(DatabaseError) as refused, transaction.atomic():
        with recording.recording(
            _Action.TEST, actor=TEST, at=NOON, reason="an attempt to alter the copy"
        ):
            with connection.cursor() as cursor:
                cursor.execute(
                    f"UPDATE {model._meta.db_table} SET {change} WHERE {column} = %s", [batch.pk]
                )

    assert refused.value.__cause__.sqlstate == "GM002"
    assert copying.is_exact(Batch.objects.get(pk=batch.pk))


class _Action:
    TEST = "execution.tests"
