"""An investigation extends to other batches of the product, and an affected one is linked."""

from datetime import timedelta

import pytest

from compliance.access.duties import Role
from compliance.quality import deviations, gaps, scope
from compliance.quality.models import Deviation, Effect
from tests import factories
from tests.factories import NOON, confirmed, person

pytestmark = pytest.mark.django_db
WHY = "as the evidence of the case says"


@pytest.mark.requirement("211-192")
def test_a_closure_waits_for_the_other_batches_of_the_product() -> None:
    recipe = factories.recipe()
    batch, near = factories.batch(recipe), factories.batch(recipe, at=NOON + timedelta(days=20))
    factories.batch(recipe, at=NOON + timedelta(days=40))  # too far away
    factories.batch()  # of another product
    opened = factories.deviation(batch)
    assert [(one.kind, one.name) for one in scope.suggested(opened)] == [("batch", near.number)]
    engineer = person(Role.PROCESS_ENGINEER)
    made = deviations.investigate(
        opened, findings=factories.FINDINGS, actor=engineer, at=NOON, reason=WHY
    )
    deviations.sign_investigation(made, confirmed=confirmed(engineer))
    quality = confirmed(person(Role.QUALITY_ASSURANCE))

    with pytest.raises(gaps.DeviationIncomplete, match=near.number):
        deviations.close(made, confirmed=quality, reason=WHY)


@pytest.mark.requirement("211-192")
def test_an_affected_batch_is_linked_and_waits_for_the_deviation_too() -> None:
    recipe = factories.recipe()
    batch, other = factories.batch(recipe), factories.batch(recipe)
    opened = factories.deviation(batch)
    engineer = person(Role.PROCESS_ENGINEER)
    (neighbour,) = scope.extend(opened, actor=engineer, at=NOON)

    scope.decide(neighbour, effect=Effect.AFFECTED, reason=WHY, actor=engineer, at=NOON)
    scope.decide(neighbour, effect=Effect.AFFECTED, reason=WHY, actor=engineer, at=NOON)

    assert list(other.deviations.all()) == [opened]
    assert list(Deviation.objects.unsettled().filter(batches=other)) == [opened]
