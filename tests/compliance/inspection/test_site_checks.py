"""The inspector asks the site: access, alarms, the letter, and what quality has left undone."""

from datetime import datetime, timedelta

import pytest

from compliance.access import alarms, certification, people
from compliance.access.duties import Role
from compliance.access.models import RoleAssignment
from compliance.configuration import changes as configuration
from compliance.inspection import engine, snapshots
from compliance.inspection.models import Profile, Verdict
from compliance.quality import periodic_reviews
from compliance.signatures import signing
from compliance.signatures.models import Meaning
from tests import factories
from tests.factories import NOON

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def _asked(check_id: str, *, at: datetime = NOON, scope: tuple[str, ...] = ()) -> engine.Result:
    snapshot = snapshots.take(scope=scope, as_of=at)
    results = engine.assess(snapshot, profile=Profile.EU, repeats={}).results
    return next(one for one in results if one.check_id == check_id)


@pytest.mark.requirement("P11-g1")
def test_to_acknowledge_accountability_is_no_gmp_work_of_an_administrator() -> None:
    factories.person(Role.SYSTEM_ADMINISTRATOR)

    assert _asked("SG-03").verdict == Verdict.CLEAN


@pytest.mark.requirement("P11-g1")
def test_any_other_signature_of_an_administrator_is_gmp_work() -> None:
    """The domain functions refuse it; the inspector reads what came to be in another way."""
    once = factories.person(Role.PROCESS_ENGINEER)
    recipe = factories.recipe_draft(author=once)
    with factories.acting():
        RoleAssignment.objects.filter(user=once).update(ended_at=NOON)
        RoleAssignment.objects.create(user=once, role=Role.SYSTEM_ADMINISTRATOR, granted_at=NOON)
    administrator = people.User.objects.get(pk=once.pk)
    signing.sign(recipe, meaning=Meaning.AUTHORED, confirmed=factories.confirmed(administrator))

    found = _asked("SG-03")

    assert (found.verdict, found.finding_class) == (Verdict.FINDING, "critical")
    assert "signatures_signature" in found.text


@pytest.mark.requirement("P11-300b", "A11D-11")
def test_an_overdue_review_of_access_and_a_leaver_who_is_active_are_findings() -> None:
    leaver = factories.person(Role.OPERATOR)
    assert _asked("SG-07").verdict == Verdict.CLEAN

    people.record_leaving(
        leaver, last_day=NOON.date(), actor=factories.person(Role.SYSTEM_ADMINISTRATOR), at=NOON,
        reason="told by human resources",
    )  # fmt: skip

    assert _asked("SG-07").verdict == Verdict.CLEAN  # the last day itself
    left = _asked("SG-07", at=NOON + DAY)
    assert (left.verdict, left.failing) == (Verdict.FINDING, 1)
    assert f"The last day of {leaver.username} was 2026-03-02" in left.text
    late = _asked("SG-07", at=NOON + 800 * DAY)
    assert late.failing == late.examined
    assert "The review of who has access was due on" in late.text


@pytest.mark.requirement("P11-300d")
def test_an_alarm_that_waits_longer_than_a_day_is_a_finding_also_when_it_is_answered_then() -> None:
    assert _asked("SG-08").verdict == Verdict.NOT_APPLICABLE
    factories.alarm()
    waiting = factories.alarm()

    assert _asked("SG-08", at=NOON + DAY).verdict == Verdict.CLEAN
    alarms.acknowledge(
        waiting, comment="the person forgot the password", at=NOON + 2 * DAY,
        actor=factories.person(Role.QUALITY_ASSURANCE),
    )  # fmt: skip

    found = _asked("SG-08", at=NOON + 3 * DAY)
    assert (found.verdict, found.examined, found.failing) == (Verdict.FINDING, 2, 2)
    assert "nobody had acknowledged it 3 days later" in found.text
    assert "was acknowledged 2 days later" in found.text


@pytest.mark.requirement("P11-100c")
def test_signatures_without_the_letter_are_a_finding_about_the_site() -> None:
    quality = factories.person(Role.QUALITY_ASSURANCE)  # acknowledged by signature

    assert _asked("SG-09").verdict == Verdict.FINDING
    assert _asked("SG-09", scope=("B-1",)).verdict == Verdict.NOT_APPLICABLE
    certification.record(
        reference="FDA-2026-1", sent_on=NOON.date(), addressed_to="Office of Regulatory Affairs",
        actor=quality, at=NOON,
    )  # fmt: skip
    assert _asked("SG-09").verdict == Verdict.CLEAN


@pytest.mark.requirement("A11-11", "A11D-14")
def test_an_overdue_periodic_review_is_a_finding() -> None:
    assert _asked("QS-01").verdict == Verdict.NOT_APPLICABLE
    quality = factories.person(Role.QUALITY_ASSURANCE)
    review = periodic_reviews.open_(
        system="The plant's record", starts_on=NOON.date() - 90 * DAY, ends_on=NOON.date(),
        actor=quality, at=NOON,
    )  # fmt: skip
    periodic_reviews.conclude(
        review, conclusion="fit for its use", next_due_on=NOON.date() + 10 * DAY,
        confirmed=factories.confirmed(quality),
    )  # fmt: skip

    assert _asked("QS-01", at=NOON + 10 * DAY).verdict == Verdict.CLEAN
    found = _asked("QS-01", at=NOON + 11 * DAY)
    assert found.verdict == Verdict.FINDING
    assert f"The plant's record, after {review.number}, was due on 2026-03-12" in found.text
    assert found.evidence


@pytest.mark.requirement("Q9R1")
def test_an_overdue_review_of_a_risk_is_a_finding() -> None:
    assert _asked("QS-02").verdict == Verdict.NOT_APPLICABLE
    risk = factories.decided_risk()

    assert _asked("QS-02", at=NOON + 365 * DAY).verdict == Verdict.CLEAN
    found = _asked("QS-02", at=NOON + 366 * DAY)
    assert (found.verdict, found.finding_class) == (Verdict.FINDING, "other")
    assert f"The review of risk {risk.number}" in found.text
    assert "1 day late" in found.text


@pytest.mark.requirement("Q10")
def test_a_capa_that_is_late_or_whose_effect_nobody_checked_is_a_finding() -> None:
    assert _asked("DV-04").verdict == Verdict.NOT_APPLICABLE
    late, unchecked = factories.approved_capa(), factories.implemented_capa()
    factories.checked_capa(is_effective=True)

    assert _asked("DV-04", at=NOON + 30 * DAY).verdict == Verdict.CLEAN
    found = _asked("DV-04", at=NOON + 121 * DAY)
    assert (found.verdict, found.finding_class) == (Verdict.FINDING, "major")
    assert (found.examined, found.failing) == (3, 2)
    assert f"{late.number} (" in found.text
    assert f"{unchecked.number} (" in found.text


@pytest.mark.requirement("A11-10")
def test_a_change_of_the_configuration_that_nobody_assessed_or_controlled_is_a_finding() -> None:
    assert _asked("DI-21").verdict == Verdict.NOT_APPLICABLE
    configuration.note({"GMP_SECOND_FACTOR": "1"}, process="web", at=NOON)
    quality = factories.person(Role.QUALITY_ASSURANCE)
    assert _asked("DI-21").verdict == Verdict.CLEAN

    changed = configuration.note({"GMP_SECOND_FACTOR": "0"}, process="web", at=NOON)

    assert changed is not None
    late = _asked("DI-21", at=NOON + 8 * DAY)
    assert (late.verdict, late.failing) == (Verdict.FINDING, 2)
    assert "GMP_SECOND_FACTOR), found on 2026-03-02, is not assessed" in late.text
    configuration.assess(
        changed, assessment="second factors were off for an hour",
        confirmed=factories.confirmed(quality),
    )  # fmt: skip
    soon = _asked("DI-21", at=NOON + DAY)
    assert soon.failing == 1
    assert "was assessed without naming an approved change" in soon.text
