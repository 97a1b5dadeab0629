"""From detection to closure: what a deviation takes, and what the database refuses by itself."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from compliance.access.duties import Role
from compliance.quality import (
    causes,
    classifications,
    deviations,
    due_dates,
    gaps,
    recurrences,
    scope,
)
from compliance.quality.classifications import Answers
from compliance.quality.models import (
    CauseConsidered,
    Deviation,
    DeviationNote,
    DeviationState,
    Effect,
    Escalation,
    Finding,
    Neighbour,
    RootCause,
    Severity,
)
from compliance.quality.scope import Suggestion
from compliance.signatures import signing
from compliance.signatures.models import Meaning
from tests import factories
from tests.factories import FINDINGS, NOON, confirmed, person

pytestmark = pytest.mark.django_db
WHY = "as the evidence of the case says"


def _quality() -> Any:
    return confirmed(person(Role.QUALITY_ASSURANCE))


def _sign(deviation: Deviation) -> Any:
    investigator = person(Role.PROCESS_ENGINEER)
    deviations.sign_investigation(deviation, confirmed=confirmed(investigator))
    return investigator


@pytest.fixture
def lots() -> Iterator[list[str]]:
    """Give a rule of a higher room, which names what the test puts into the list."""
    named: list[str] = []
    scope.register("same-material-lot")(
        lambda _: [Suggestion("batch", name, "made of lot M-7") for name in named]
    )
    yield named
    del scope._rules["same-material-lot"]


# --- Classification


@pytest.mark.parametrize(
    ("answers", "severity"),
    [
        (Answers(), Severity.MINOR),
        (Answers(breaks_procedure=True), Severity.MINOR),
        (Answers(touches_cpp=True), Severity.MAJOR),
        (Answers(is_released=True), Severity.MAJOR),
        (Answers(touches_cqa=True), Severity.MAJOR),
        (Answers(touches_cqa=True, is_released=True), Severity.CRITICAL),
        (Answers(is_integrity_in_doubt=True), Severity.CRITICAL),
        (Answers(harms_patient=True), Severity.CRITICAL),
    ],
)
def test_the_rule_gives_a_severity(answers: Answers, severity: Severity) -> None:
    assert classifications.by_rule(answers) == severity


def test_below_the_rule_takes_a_rationale_that_an_inspector_can_read() -> None:
    deviation = factories.deviation(severity=Severity.MINOR)
    quality = person(Role.QUALITY_ASSURANCE)
    given = {"answers": Answers(touches_cqa=True), "severity": Severity.MINOR}

    with pytest.raises(classifications.ClassificationBelowRule):
        classifications.classify(deviation, rationale="not so bad", actor=quality, at=NOON, **given)

    made = classifications.classify(
        deviation, actor=quality, at=NOON, **given,
        rationale="the attribute was measured again in the same sample and lies within its limits",
    )  # fmt: skip
    assert (made.by_rule, made.severity) == ("major", "minor")


def test_a_severity_changes_by_a_classification_only_and_takes_the_signatures_with_it() -> None:
    deviation = factories.investigated_deviation()
    _sign(deviation)
    with pytest.raises(IntegrityError, match="by a classification only"):
        with transaction.atomic(), factories.acting():
            Deviation.objects.filter(pk=deviation.pk).update(severity="minor")

    classifications.classify(
        deviation, answers=Answers(harms_patient=True), rationale=WHY,
        actor=person(Role.QUALITY_ASSURANCE), at=NOON,
    )  # fmt: skip

    deviation.refresh_from_db()
    assert deviation.severity == Severity.CRITICAL
    assert not any(signing.is_current(one, deviation) for one in signing.of(deviation))
    with pytest.raises(gaps.DeviationIncomplete, match="not signed in its present version"):
        deviations.close(deviation, confirmed=_quality(), reason=WHY)


# --- Scope (21 CFR 211.192)


@pytest.mark.requirement("211-192")
def test_a_closure_without_considering_a_suggested_batch_is_refused(lots: list[str]) -> None:
    deviation = factories.investigated_deviation()
    lots.append("B-77")
    _sign(deviation)

    with pytest.raises(gaps.DeviationIncomplete, match="a decision on batch B-77"):
        deviations.close(deviation, confirmed=_quality(), reason=WHY)

    engineer = person(Role.PROCESS_ENGINEER)
    (neighbour,) = scope.extend(deviation, actor=engineer, at=NOON)
    with pytest.raises(gaps.DeviationIncomplete, match="a decision on batch B-77"):
        deviations.close(deviation, confirmed=_quality(), reason=WHY)
    scope.decide(neighbour, effect=Effect.NOT_AFFECTED, reason=WHY, actor=engineer, at=NOON)
    _sign(deviation)
    assert deviations.close(deviation, confirmed=_quality(), reason=WHY).state == "closed"


@pytest.mark.requirement("211-192")
def test_the_database_refuses_a_closure_with_a_neighbour_that_nobody_considered(
    lots: list[str],
) -> None:
    lots.append("B-78")
    deviation = factories.investigated_deviation()
    engineer = person(Role.PROCESS_ENGINEER)
    scope.add(deviation, suggestion=Suggestion("batch", "B-79", WHY), actor=engineer, at=NOON)

    with pytest.raises(IntegrityError, match="neighbours that nobody considered"):
        with transaction.atomic(), factories.acting():
            Deviation.objects.filter(pk=deviation.pk).update(state="closed", closed_at=NOON)


def test_a_neighbour_is_decided_with_a_reason_and_stays_what_it_is(lots: list[str]) -> None:
    lots.append("B-78")
    deviation = factories.deviation()
    engineer = person(Role.PROCESS_ENGINEER)
    (neighbour,) = scope.extend(deviation, actor=engineer, at=NOON)
    assert scope.extend(deviation, actor=engineer, at=NOON) == [neighbour]

    with pytest.raises(scope.EffectNeeded):
        scope.decide(neighbour, effect=Effect.PENDING, reason=WHY, actor=engineer, at=NOON)
    with pytest.raises(IntegrityError, match="neighbour_decided_with_reason"):
        with transaction.atomic(), factories.acting():
            Neighbour.objects.update(effect="affected")
    with pytest.raises(IntegrityError, match="never changed"):
        with transaction.atomic(), factories.acting():
            Neighbour.objects.update(name="B-1")


# --- Causes (EU GMP Chapter 8)


@pytest.mark.requirement("CH8")
def test_human_error_alone_is_no_root_cause() -> None:
    opened = factories.deviation()
    engineer = person(Role.PROCESS_ENGINEER)
    blamed = replace(FINDINGS, root_cause_category=RootCause.HUMAN_ERROR)
    with pytest.raises(gaps.DeviationIncomplete, match="other causes"):
        deviations.investigate(opened, findings=blamed, actor=engineer, at=NOON, reason=WHY)
    said = replace(blamed, alternatives_considered="The procedure and the display were looked at.")

    made = deviations.investigate(opened, findings=said, actor=engineer, at=NOON, reason=WHY)
    with pytest.raises(gaps.DeviationIncomplete, match="Method or procedure"):
        deviations.sign_investigation(made, confirmed=confirmed(engineer))
    factories.considered(made, by=engineer)
    with pytest.raises(IntegrityError, match="nothing ruled out"):
        with transaction.atomic(), factories.acting():
            Deviation.objects.filter(pk=made.pk).update(state="closed", closed_at=NOON)

    for category in (RootCause.METHOD, RootCause.SYSTEM):
        causes.consider(
            made, category=category, cause="an unclear step", finding=Finding.RULED_OUT,
            how="three operators followed it without help", actor=engineer, at=NOON,
        )  # fmt: skip
    deviations.sign_investigation(made, confirmed=confirmed(engineer))
    assert deviations.close(made, confirmed=_quality(), reason=WHY).state == "closed"


@pytest.mark.requirement("CH8")
def test_a_cause_says_how_it_was_ruled_out_and_is_never_altered() -> None:
    deviation = factories.deviation()
    engineer = person(Role.PROCESS_ENGINEER)
    given = {"category": RootCause.METHOD, "cause": "the procedure", "finding": Finding.RULED_OUT}
    with pytest.raises(gaps.DeviationIncomplete):
        causes.consider(deviation, how="looked", actor=engineer, at=NOON, **given)
    causes.consider(deviation, how=WHY, actor=engineer, at=NOON, **given)

    with pytest.raises(Exception, match="nothing regulated is altered"):
        with transaction.atomic(), factories.acting():
            CauseConsidered.objects.update(how="nothing")


# --- Recurrence


@pytest.mark.requirement("Q10")
def test_an_earlier_one_that_looks_alike_is_shown_and_must_be_answered() -> None:
    factories.deviation(at=NOON - timedelta(days=800))  # longer ago than two years
    earlier = factories.deviation(at=NOON - timedelta(days=90))
    deviation = factories.deviation()
    assert recurrences.of(deviation) == [earlier]
    assert recurrences.of(earlier) != [deviation]
    assert any(earlier.number in gap for gap in gaps.of(deviation))

    recurrences.answer(
        deviation, is_recurrence=True, text=WHY, actor=person(Role.SUPERVISOR), at=NOON
    )

    assert not any(earlier.number in gap for gap in gaps.of(deviation))
    with pytest.raises(recurrences.NothingToAnswer):
        recurrences.answer(
            Deviation.objects.order_by("pk")[0], is_recurrence=True, text=WHY,
            actor=person(Role.SUPERVISOR), at=NOON,
        )  # fmt: skip


def _about(title: str, *, concerns: str = "", category: str = "") -> Deviation:
    return Deviation(title=title, concerns=concerns, category=category)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (_about("x", concerns="TIC-1"), _about("y", concerns="tic-1"), True),
        (_about("x", concerns="TIC-1"), _about("y", concerns="TIC-2"), False),
        (_about("Glucose feed pump stopped"), _about("Feed pump of glucose worn"), True),
        (_about("Glucose feed stopped"), _about("Glucose feed too fast"), False),
        (
            _about("Glucose feed stopped", category="process"),
            _about("Glucose feed too fast", category="process"),
            True,
        ),
        (_about("Foam observed"), _about("Foam observed"), True),
        (_about("of it"), _about("to it"), False),
    ],
)
def test_what_looks_alike(one: Deviation, other: Deviation, expected: bool) -> None:
    assert recurrences.is_alike(one, other) is expected


# --- Ends


@pytest.mark.requirement("CH5/6", "211-100a/b")
def test_a_closed_deviation_is_never_opened_or_changed_again() -> None:
    closed = factories.closed_deviation()

    for change in ({"state": "open"}, {"conclusion": "nothing happened"}, {"closed_at": None}):
        with pytest.raises(IntegrityError):
            with transaction.atomic(), factories.acting():
                Deviation.objects.filter(pk=closed.pk).update(**change)
    with pytest.raises(IntegrityError, match="takes no more rows"):
        with transaction.atomic(), factories.acting():
            DeviationNote.objects.create(
                deviation=closed, text="late", written_at=NOON, written_by=person(Role.OPERATOR)
            )
    follower = deviations.open_(
        title="Seen again after the closure", description="The same reading, on another day.",
        severity=Severity.MINOR, occurred_at=NOON, actor=person(Role.OPERATOR), at=NOON,
        follows=closed,
    )  # fmt: skip
    assert follower.follows == closed


def test_an_open_deviation_is_not_followed() -> None:
    with pytest.raises(gaps.DeviationIncomplete, match="go on there"):
        deviations.open_(
            title="Seen again after the closure", description="The same reading, on another day.",
            severity=Severity.MINOR, occurred_at=NOON, actor=person(Role.OPERATOR), at=NOON,
            follows=factories.deviation(),
        )  # fmt: skip


def test_a_duplicate_stands_open_until_its_original_is_closed() -> None:
    original, double = factories.investigated_deviation(), factories.deviation()

    deviations.cancel(double, original=original, confirmed=_quality(), reason=WHY)

    double.refresh_from_db()
    assert (double.state, double.duplicate_of) == (DeviationState.CANCELLED, original)
    assert set(Deviation.objects.unsettled()) == {original, double}
    assert set(Deviation.objects.in_work()) == {original}
    _sign(original)
    deviations.close(original, confirmed=_quality(), reason=WHY)
    assert not Deviation.objects.unsettled().exists()


def test_a_duplicate_needs_an_original_that_stands() -> None:
    original, double, third = (factories.deviation() for _ in range(3))
    with pytest.raises(deviations.NotDuplicate):
        deviations.cancel(double, original=double, confirmed=_quality(), reason=WHY)
    deviations.cancel(double, original=original, confirmed=_quality(), reason=WHY)
    with pytest.raises(deviations.NotDuplicate):
        deviations.cancel(third, original=double, confirmed=_quality(), reason=WHY)
    with pytest.raises(deviations.NotDuplicate):
        deviations.cancel(original, original=third, confirmed=_quality(), reason=WHY)
    with pytest.raises(IntegrityError):
        with transaction.atomic(), factories.acting():
            Deviation.objects.filter(pk=third.pk).update(state="cancelled", duplicate_of=double)


@pytest.mark.requirement("CH5/6", "211-192", "211-22a")
def test_the_database_closes_nothing_without_the_signatures_of_two_people() -> None:
    deviation = factories.investigated_deviation()

    with pytest.raises(IntegrityError, match="lacks the signatures of two people"):
        with transaction.atomic(), factories.acting():
            with connection.cursor() as cursor:
                cursor.execute(
                    "UPDATE quality_deviation SET state = 'closed', closed_at = now() "
                    "WHERE id = %s",
                    [deviation.pk],
                )


@pytest.mark.requirement("CH5/6", "211-192")
def test_whoever_investigated_does_not_close() -> None:
    deviation = factories.investigated_deviation()
    both = person(Role.QUALITY_ASSURANCE)
    deviations.sign_investigation(deviation, confirmed=confirmed(both))

    with pytest.raises(deviations.InvestigatorCloses):
        deviations.close(deviation, confirmed=confirmed(both), reason=WHY)


@pytest.mark.requirement("211-192")
def test_a_second_investigator_does_not_make_the_first_one_independent() -> None:
    """Two sign the investigation; each of them has investigated, and neither closes."""
    deviation = factories.investigated_deviation()
    first, second = person(Role.QUALITY_ASSURANCE), person(Role.QUALITY_ASSURANCE)
    for one in (first, second):
        deviations.sign_investigation(deviation, confirmed=confirmed(one))

    for one in (first, second):
        with pytest.raises(
            deviations.InvestigatorCloses, match="whoever investigated does not close"
        ):
            deviations.close(deviation, confirmed=confirmed(one), reason="complete, agreed to")
    with pytest.raises(IntegrityError, match="signatures of two people"):
        with transaction.atomic(), factories.acting():
            signing.sign(deviation, meaning=Meaning.CLOSED, confirmed=confirmed(first))
            Deviation.objects.filter(pk=deviation.pk).update(state="closed", closed_at=NOON)


def test_what_was_done_at_once_is_kept_when_the_investigation_says_nothing_of_it() -> None:
    deviation = factories.deviation()
    deviations.act_at_once(
        deviation, text="the feed was stopped", actor=person(Role.OPERATOR), at=NOON
    )

    made = deviations.investigate(
        deviation, findings=FINDINGS, actor=person(Role.SUPERVISOR), at=NOON, reason=WHY
    )

    assert made.immediate_action == "the feed was stopped"


# --- Dates


def test_a_later_date_is_granted_by_somebody_else_of_quality() -> None:
    deviation = factories.deviation()
    asker = person(Role.QUALITY_ASSURANCE)
    until = deviation.due_on + timedelta(days=10)
    asked = due_dates.ask(deviation, until=until, reason=WHY, actor=asker, at=NOON)
    with pytest.raises(due_dates.ExtensionImpossible):
        due_dates.ask(deviation, until=until + timedelta(days=1), reason=WHY, actor=asker, at=NOON)
    with pytest.raises(due_dates.ExtensionOwn):
        due_dates.answer(asked, is_granted=True, reason=WHY, actor=asker, at=NOON)
    with pytest.raises(IntegrityError, match="answered_by_another"):
        with transaction.atomic(), factories.acting():
            type(asked).objects.update(is_granted=True, answered_by=asker, answered_at=NOON)

    due_dates.answer(
        asked, is_granted=True, reason=WHY, actor=person(Role.QUALITY_ASSURANCE), at=NOON
    )

    deviation.refresh_from_db()
    assert deviation.due_on == until
    with pytest.raises(due_dates.ExtensionAnswered):
        due_dates.answer(
            asked, is_granted=False, reason=WHY, actor=person(Role.QUALITY_ASSURANCE), at=NOON
        )


def test_late_work_is_told_to_one_level_after_the_other_and_once_to_each() -> None:
    deviation = factories.deviation()

    def told(days: int) -> list[str]:
        due_dates.escalate(at=NOON + timedelta(days=30 + days))
        return list(
            Escalation.objects.filter(number=deviation.number)
            .order_by("level")
            .values_list("addressed_to", flat=True)
        )

    assert told(0) == []
    assert told(1) == ["supervisor"]
    assert told(2) == ["supervisor"]
    assert told(8) == ["supervisor", "quality-assurance"]
    assert told(40) == ["supervisor", "quality-assurance", "qualified-person"]
