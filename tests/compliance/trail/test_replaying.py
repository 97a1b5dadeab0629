"""From its first entry on, the trail alone rebuilds every record, in every version it ever had."""

from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from batches.disposition.models import Outcome
from tests import factories, replaying, trail_log
from tests.trail_app.models import Vessel


@pytest.mark.django_db
@pytest.mark.requirement("P11-e2", "P11-e1")
def test_the_trail_rebuilds_every_row_of_a_batch_from_recipe_to_shipment() -> None:
    batch = factories.completed_batch()
    factories.closed_deviation(batch)
    factories.review(batch)
    factories.decision(batch, Outcome.HELD)
    factories.decision(batch, Outcome.LIFTED)
    factories.decision(batch)
    factories.certificate(batch, assessment="every attribute of the product is met")
    factories.shipment(batch)

    assert replaying.differences() == []


_TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
_STEPS = st.lists(
    st.tuples(
        _TEXTS,
        st.decimals(min_value=-(10**9), max_value=10**9, places=6),
        st.sampled_from(["save", "update", "refused", "deleted"]),
    ),
    min_size=1,
    max_size=8,
)


@pytest.mark.django_db
@pytest.mark.requirement("P11-e2")
@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=_STEPS)
def test_every_version_that_a_row_ever_had_is_rebuilt_exactly(
    steps: list[tuple[str, Decimal, str]],
) -> None:
    with transaction.atomic():
        made = _walked(steps)
        replayed = replaying.replay()["trail_app_vessel", made["id"]]
        transaction.set_rollback(True)

    known = [one for one in replayed.versions if one is not None]
    assert replayed.faults == []
    assert [_plain(one) for one in known[: len(made["seen"])]] == made["seen"]
    assert replayed.is_deleted == made["is_deleted"]


def _walked(steps: list[tuple[str, Decimal, str]]) -> dict[str, Any]:
    """Change a row in all the ways there are; return what stood in the table after each change."""
    with trail_log.act("a vessel is made"):
        vessel = Vessel.objects.create(name="first")
    seen, is_deleted = [_live(vessel.pk)], False
    for name, volume, way in steps:
        before = seen[-1]
        if way == "deleted":
            with trail_log.act("a vessel goes"):
                Vessel.objects.filter(pk=vessel.pk).delete()
            is_deleted = True
            break
        if way == "refused":
            with pytest.raises(DatabaseError), transaction.atomic():
                Vessel.objects.filter(pk=vessel.pk).update(name=name + "!")
            continue
        with trail_log.act("a vessel changes"):
            if way == "save":
                found = Vessel.objects.get(pk=vessel.pk)
                found.name, found.volume_l = name, volume
                found.save()
            else:
                Vessel.objects.filter(pk=vessel.pk).update(name=name, volume_l=volume)
        if (now := _live(vessel.pk)) != before:
            seen.append(now)
    return {"id": str(vessel.pk), "seen": seen, "is_deleted": is_deleted}


def _live(pk: int) -> dict[str, Any]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, name, volume_l FROM trail_app_vessel WHERE id = %s", [pk])
        number, name, volume = cursor.fetchone()
    return {"id": number, "name": name, "volume_l": f"{volume:f}"}


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {name: values[name] for name in ("id", "name", "volume_l")}


@pytest.mark.requirement("P11-a1")
def test_a_row_that_was_changed_around_the_trail_is_named(
    fresh_log: Any, as_superuser: Any
) -> None:
    batch = factories.released_batch()
    as_superuser.execute("SET session_replication_role = replica")
    as_superuser.execute("ALTER TABLE execution_batch DISABLE TRIGGER ALL")
    as_superuser.execute(
        "UPDATE execution_batch SET recipe_digest = repeat('0', 64) WHERE id = %s", [batch.pk]
    )

    (said,) = replaying.differences()

    assert said.startswith(f"('execution_batch', '{batch.pk}'): recipe_digest differ")
