"""Equipment is qualified by stages that QA approved, and loses it with a part of another make."""

from datetime import date, timedelta

import pytest

from batches.assets import equipment, parts, qualifications
from batches.assets.equipment import EquipmentNotUsable
from batches.assets.models import Equipment, EquipmentState, PartChange, Stage
from batches.assets.parts import ChangeControlNeeded, NotLikeForLike, Part
from batches.assets.qualifications import PerformerApproves, QualificationIncomplete, StageReport
from compliance.access.duties import Role
from compliance.signatures import signing
from tests import factories
from tests.factories import NOON

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
OLD = Part(manufacturer="Pumpworks", model="P-10", serial_number="77")
SAME = Part(manufacturer="Pumpworks", model="P-10", serial_number="78")
OTHER = Part(manufacturer="Cheaper Pumps", model="CP-9", serial_number="1")


def replaced(
    which: Equipment, new: Part, *, like: bool, reference: str = "", at=NOON + HOUR
) -> PartChange:
    return parts.replace(
        which, component="feed pump", old=OLD, new=new, is_like_for_like=like, changed_at=at,
        actor=factories.person(Role.MAINTENANCE), at=at, reason="the old pump leaked",
        change_reference=reference,
    )  # fmt: skip


def test_a_missing_stage_keeps_equipment_unqualified() -> None:
    new = factories.registered_equipment(needed_stages="iq,oq")
    factories.qualification(new, Stage.IQ)

    with pytest.raises(QualificationIncomplete, match="no approved OQ"):
        qualifications.qualify(
            new, confirmed=factories.confirmed(factories.person(Role.QUALITY_ASSURANCE)),
            reason="installed and inspected",
        )  # fmt: skip


def test_a_stage_is_approved_by_another_person_than_its_performer() -> None:
    both = factories.person(Role.MAINTENANCE, Role.QUALITY_ASSURANCE)
    report = StageReport(
        stage=Stage.IQ, protocol="VP-1", report="VR-1", summary="All criteria are met.",
        performed_on=NOON.date(),
    )  # fmt: skip
    stage = qualifications.record(
        factories.registered_equipment(), report=report, actor=both, at=NOON
    )

    with pytest.raises(PerformerApproves):
        qualifications.approve(stage, confirmed=factories.confirmed(both))


def test_a_stage_carries_the_signature_of_its_approver() -> None:
    stage = factories.qualification(factories.registered_equipment())

    (signature,) = signing.of(stage)

    assert signature.signer_id == stage.approved_by_id
    assert signing.is_current(signature, stage)


def test_a_qualification_ends_with_the_first_of_its_stages() -> None:
    new = factories.registered_equipment(needed_stages="iq,oq")
    factories.qualification(new, Stage.IQ)
    factories.qualification(new, Stage.OQ, valid_until=date(2027, 3, 2))
    ready = qualifications.qualify(
        new, confirmed=factories.confirmed(factories.person(Role.QUALITY_ASSURANCE)),
        reason="all stages are approved",
    )  # fmt: skip

    equipment.demand_usable(ready, at=NOON.replace(year=2027))
    with pytest.raises(EquipmentNotUsable, match="qualification ended on 2027-03-02"):
        equipment.demand_usable(ready, at=NOON.replace(year=2027) + timedelta(days=1))


def test_a_part_like_for_like_leaves_the_equipment_qualified() -> None:
    ready = factories.equipment()

    replaced(ready, SAME, like=True)

    equipment.demand_usable(ready, at=NOON + HOUR)


def test_another_make_is_never_called_like_for_like() -> None:
    with pytest.raises(NotLikeForLike, match="Cheaper Pumps CP-9 in place of Pumpworks P-10"):
        replaced(factories.equipment(), OTHER, like=True)


def test_another_make_needs_its_change_control() -> None:
    with pytest.raises(ChangeControlNeeded):
        replaced(factories.equipment(), OTHER, like=False)


def test_another_make_ends_the_qualification_until_every_stage_is_done_anew() -> None:
    ready = factories.equipment()
    replaced(ready, OTHER, like=False, reference="CC-2026-0001")

    with pytest.raises(EquipmentNotUsable, match="in qualification"):
        equipment.demand_usable(ready, at=NOON + HOUR)
    quality = factories.confirmed(factories.person(Role.QUALITY_ASSURANCE), at=NOON + 2 * HOUR)
    with pytest.raises(QualificationIncomplete, match="IQ, OQ recorded after"):
        qualifications.qualify(ready, confirmed=quality, reason="nothing has changed, really")

    ready.refresh_from_db()
    again = factories.qualified(ready, at=NOON + 3 * HOUR)

    assert again.state == EquipmentState.QUALIFIED
    equipment.demand_usable(again, at=NOON + 3 * HOUR)


def test_the_declaration_signed_before_the_change_no_longer_counts() -> None:
    ready = factories.equipment()
    (before,) = signing.of(ready)
    assert signing.is_current(before, ready)

    replaced(ready, OTHER, like=False, reference="CC-2026-0001")

    ready.refresh_from_db()
    assert not signing.is_current(before, ready)
