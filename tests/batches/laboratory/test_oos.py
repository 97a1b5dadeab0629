"""OOS investigations follow FDA's guidance; each rule is a refusal, and the database holds it too."""

from datetime import timedelta
from decimal import Decimal

import pytest

from batches.laboratory import (
    custody,
    oos,
    oos_conclusions,
    oos_opening,
    oos_phases,
    oos_retests,
    results,
    samples,
)
from batches.laboratory.models import (
    Conclusion,
    CustodyKind,
    OosInvestigation,
    OosState,
    PlanKind,
    ResultState,
    Sample,
)
from batches.laboratory.oos_retests import Plan
from compliance.access.duties import Role
from compliance.access.models import User
from compliance.signatures import signing
from tests import factories
from tests.batches.laboratory.conftest import Refuses
from tests.factories import CAUSE, NOON

pytestmark = [pytest.mark.django_db, pytest.mark.requirement("FDA-OOS")]
LATER = NOON + timedelta(hours=1)
CONCLUDED = "The result is what the batch is: nothing in the laboratory explains it."


@pytest.fixture
def supervisor() -> User:
    return factories.person(Role.QC_SUPERVISOR)


@pytest.fixture
def quality() -> User:
    return factories.person(Role.QUALITY_ASSURANCE)


@pytest.fixture
def analyst() -> User:
    return factories.person(Role.QC_ANALYST)


def _plan(analyst: User, *, count: int = 2, kind: PlanKind = PlanKind.RETEST) -> Plan:
    return Plan(
        kind=kind, count=count, analyst=analyst,
        rationale="Two retests detect the error of a single preparation.",
        resample_justification="The original sample was taken from the sight glass by mistake."
        if kind == PlanKind.RESAMPLE else "",
    )  # fmt: skip


def _in_phase_two(supervisor: User) -> OosInvestigation:
    return factories.investigated_oos(factories.oos_investigation(), by=supervisor)


def _retesting(
    supervisor: User, quality: User, analyst: User, *, kind: PlanKind = PlanKind.RETEST
) -> OosInvestigation:
    oos_retests.propose(
        made := _in_phase_two(supervisor), plan=_plan(analyst, kind=kind), actor=supervisor,
        at=NOON, reason="plan of the retests",
    )  # fmt: skip
    return oos_retests.approve(made, confirmed=factories.confirmed(quality))


def _retest(of: OosInvestigation, by: User, value: str = "3.00", **said: object) -> object:
    sample = of.result.sample if of.result else None
    return oos_retests.record(
        of, **{"value_text": value, "tested_at": LATER, "sample": sample, "actor": by,
               "at": LATER, **said},  # type: ignore[arg-type]
    )  # fmt: skip


def _reviewed(of: OosInvestigation, by: User) -> OosInvestigation:
    return oos_phases.review_production(
        of, text="The batch record shows no excursion; the resin is of its third cycle.",
        actor=by, at=NOON, reason="review of production",
    )  # fmt: skip


def _conclude(
    of: OosInvestigation, by: User, conclusion: Conclusion = Conclusion.CONFIRMED
) -> OosInvestigation:
    return oos_conclusions.conclude(
        of, conclusion=conclusion, text=CONCLUDED, confirmed=factories.confirmed(by)
    )


def _close(of: OosInvestigation, by: User) -> OosInvestigation:
    return oos_conclusions.close(of, confirmed=factories.confirmed(by), reason="complete, agreed")


# --- The whole ways


def test_a_cause_in_the_laboratory_invalidates_the_result(supervisor: User, quality: User) -> None:
    made = factories.investigated_oos(factories.oos_investigation(), by=supervisor, cause=CAUSE)
    concluded = _conclude(made, supervisor, Conclusion.INVALIDATED)

    closed = _close(concluded, quality)

    assert closed.state == OosState.CLOSED
    assert closed.result is not None
    assert results.state_of(closed.result) == ResultState.INVALIDATED
    assert not oos.open_of(closed.batch).exists()
    assert not oos.standing(closed.batch).exists()
    corrected = factories.result(
        closed.result.sample, value="3.00", version=2, reason=f"replaces what {closed} invalidated"
    )
    assert corrected.judgement == "conforms"
    assert [one.meaning for one in signing.of(closed)] == ["investigated"] * 2 + ["closed"]


def test_without_a_cause_retests_are_made_as_planned_and_the_oos_is_confirmed(
    supervisor: User, quality: User, analyst: User
) -> None:
    made = _retesting(supervisor, quality, analyst)
    _retest(made, analyst, "2.20")
    _retest(made, analyst, "3.00")
    made.refresh_from_db()
    assert made.state == OosState.RETESTED
    assert list(made.retests.order_by("number").values_list("is_outside", flat=True)) == [
        True, False,
    ]  # fmt: skip
    concluded = _conclude(_reviewed(made, supervisor), supervisor)

    with pytest.raises(oos_conclusions.DeviationNeeded):
        _close(concluded, quality)
    oos.link_deviation(
        concluded, deviation=factories.deviation(concluded.batch), actor=quality, at=NOON,
        reason="the cause is sought in production",
    )  # fmt: skip
    closed = _close(concluded, quality)

    assert closed.conclusion == Conclusion.CONFIRMED
    assert list(oos.standing(closed.batch)) == [closed]


def test_an_inconclusive_investigation_lets_the_oos_stand(supervisor: User, quality: User) -> None:
    made = _reviewed(_in_phase_two(supervisor), supervisor)

    closed = _close(_conclude(made, supervisor, Conclusion.INCONCLUSIVE), quality)

    assert closed.stands
    with pytest.raises(oos_opening.OosStands):
        factories.result(closed.result.sample, version=2, reason="a second look at it")


def test_a_cause_that_phase_two_brings_to_light_invalidates_too(
    supervisor: User, quality: User
) -> None:
    made = _in_phase_two(supervisor)
    found = oos_phases.find_cause(made, cause=CAUSE, confirmed=factories.confirmed(supervisor))

    closed = _close(_conclude(found, supervisor, Conclusion.INVALIDATED), quality)

    assert closed.has_cause
    assert not closed.stands


def test_quality_sends_back_a_cause_that_it_does_not_accept(
    supervisor: User, quality: User
) -> None:
    made = factories.investigated_oos(factories.oos_investigation(), by=supervisor, cause=CAUSE)
    _conclude(made, supervisor, Conclusion.INVALIDATED)

    back = oos_conclusions.send_back(
        made, actor=quality, at=NOON, reason="the log shows the right pipette"
    )

    assert (back.state, back.has_cause) == (OosState.PHASE_TWO, False)
    with pytest.raises(oos_conclusions.NoAssignableCause):
        _conclude(_reviewed(back, supervisor), supervisor, Conclusion.INVALIDATED)


# --- Each rule as a refusal


def test_no_retest_before_phase_one_is_closed(analyst: User) -> None:
    with pytest.raises(oos_retests.RetestNotOpen):
        _retest(factories.oos_investigation(), analyst)


def test_no_retest_before_quality_has_approved_the_plan(supervisor: User, analyst: User) -> None:
    made = _in_phase_two(supervisor)
    with pytest.raises(oos_retests.RetestNotOpen):
        _retest(made, analyst)
    oos_retests.propose(
        made, plan=_plan(analyst), actor=supervisor, at=NOON, reason="plan of the retests"
    )

    with pytest.raises(oos_retests.RetestNotOpen):
        _retest(made, analyst)


def test_a_test_made_before_the_approval_of_the_plan_is_no_retest(
    supervisor: User, quality: User, analyst: User
) -> None:
    made = _retesting(supervisor, quality, analyst)

    with pytest.raises(oos_retests.RetestNotOpen):
        _retest(made, analyst, tested_at=NOON - timedelta(minutes=1))


def test_there_are_no_more_retests_than_planned(
    supervisor: User, quality: User, analyst: User
) -> None:
    made = _retesting(supervisor, quality, analyst)
    _retest(made, analyst)
    _retest(made, analyst)

    with pytest.raises(oos_retests.RetestNotOpen, match="no more retests than planned"):
        _retest(made, analyst)


def test_retests_that_are_planned_are_all_made_before_the_conclusion(
    supervisor: User, quality: User, analyst: User
) -> None:
    made = _retesting(supervisor, quality, analyst)
    _retest(made, analyst)

    with pytest.raises(oos_retests.OosStateForbids):
        _conclude(made, supervisor)


def test_another_analyst_than_the_planned_one_does_not_retest(
    supervisor: User, quality: User, analyst: User
) -> None:
    made = _retesting(supervisor, quality, analyst)

    with pytest.raises(oos_retests.NotAsPlanned):
        _retest(made, factories.person(Role.QC_ANALYST))


def test_the_original_analyst_is_not_planned_for_the_retest(supervisor: User) -> None:
    first = factories.person(Role.QC_ANALYST)
    sample = factories.sample(factories.specified_batch())
    found = results.report(
        sample, tag="mab_g_l", unit="g/L", value_text="2.10", reported_at=NOON, message_id="1",
        actor=first, at=NOON,
    )  # fmt: skip
    made = factories.investigated_oos(found.oos, by=supervisor)

    with pytest.raises(oos_retests.SameAnalyst):
        oos_retests.propose(
            made, plan=_plan(first), actor=supervisor, at=NOON, reason="plan of the retests"
        )


def test_whoever_wrote_the_plan_does_not_approve_it(analyst: User) -> None:
    both = factories.person(Role.QC_SUPERVISOR, Role.QUALITY_ASSURANCE)
    made = _in_phase_two(both)
    oos_retests.propose(
        made, plan=_plan(analyst), actor=both, at=NOON, reason="plan of the retests"
    )

    with pytest.raises(oos_retests.AuthorApprovesPlan):
        oos_retests.approve(made, confirmed=factories.confirmed(both))


def test_a_new_sample_needs_a_justification(supervisor: User, analyst: User) -> None:
    plan = Plan(PlanKind.RESAMPLE, 2, analyst, "Two more samples of the same drum, to be sure.")

    with pytest.raises(oos.OosIncomplete, match="justified by evidence"):
        oos_retests.propose(
            _in_phase_two(supervisor), plan=plan, actor=supervisor, at=NOON,
            reason="plan of the retests",
        )  # fmt: skip


def test_a_retest_is_of_the_original_sample_and_a_resample_of_another(
    supervisor: User, quality: User, analyst: User
) -> None:
    of_original = _retesting(supervisor, quality, analyst)
    other = factories.sample(of_original.batch, at=LATER)
    with pytest.raises(oos_retests.NotAsPlanned):
        _retest(of_original, analyst, sample=other)

    of_new = _retesting(supervisor, quality, analyst, kind=PlanKind.RESAMPLE)
    with pytest.raises(oos_retests.NotAsPlanned):
        _retest(of_new, analyst)
    assert _retest(of_new, analyst, sample=factories.sample(of_new.batch, at=LATER))


def test_passing_retests_alone_do_not_invalidate(
    supervisor: User, quality: User, analyst: User
) -> None:
    made = _retesting(supervisor, quality, analyst)
    _retest(made, analyst)
    _retest(made, analyst)

    with pytest.raises(oos_conclusions.NoAssignableCause):
        _conclude(_reviewed(made, supervisor), supervisor, Conclusion.INVALIDATED)


def test_a_supposed_cause_without_evidence_is_none(supervisor: User) -> None:
    made = factories.oos_investigation()
    oos_phases.record_phase_one(
        made, found=factories.PHASE_ONE, actor=supervisor, at=NOON, reason="first look at it"
    )

    with pytest.raises(oos.OosIncomplete, match="evidence"):
        oos_phases.close_phase_one(
            made,
            cause=oos_phases.Cause(CAUSE.category, CAUSE.text, "likely"),
            confirmed=factories.confirmed(supervisor),
        )


@pytest.mark.parametrize(
    "left_out", [*oos_phases.CHECKLIST, "interview", "is_preparation_retained"]
)
def test_phase_one_is_closed_only_when_all_was_looked_at(left_out: str, supervisor: User) -> None:
    made = factories.oos_investigation()
    found = oos_phases.PhaseOne(
        checklist={one: ("yes", "") for one in oos_phases.CHECKLIST if one != left_out},
        is_preparation_retained=None if left_out == "is_preparation_retained" else True,  # type: ignore[arg-type]
        interview="" if left_out == "interview" else "Nothing unusual was seen.",
    )
    oos_phases.record_phase_one(
        made, found=found, actor=supervisor, at=NOON, reason="first look at it"
    )

    with pytest.raises(oos.OosIncomplete, match="lacks"):
        oos_phases.close_phase_one(made, cause=None, confirmed=factories.confirmed(supervisor))


def test_an_answer_other_than_yes_has_a_remark(supervisor: User) -> None:
    found = oos_phases.PhaseOne({"method": ("no", "")}, True, "Nothing unusual was seen.")

    with pytest.raises(oos.OosIncomplete, match="remark"):
        oos_phases.record_phase_one(
            factories.oos_investigation(), found=found, actor=supervisor, at=NOON,
            reason="first look at it",
        )  # fmt: skip


def test_phase_two_is_not_concluded_without_the_review_of_production(supervisor: User) -> None:
    with pytest.raises(oos.OosIncomplete, match="review of production"):
        _conclude(_in_phase_two(supervisor), supervisor)


def test_whoever_investigated_does_not_close() -> None:
    both = factories.person(Role.QC_SUPERVISOR, Role.QUALITY_ASSURANCE)
    made = factories.investigated_oos(factories.oos_investigation(), by=both, cause=CAUSE)
    concluded = _conclude(made, both, Conclusion.INVALIDATED)

    with pytest.raises(oos_conclusions.InvestigatorIsApprover):
        _close(concluded, both)


def test_the_analyst_does_not_lead_the_investigation() -> None:
    both = factories.person(Role.QC_SUPERVISOR)
    sample = factories.sample(factories.specified_batch())
    found = results.report(
        sample, tag="mab_g_l", unit="g/L", value_text="2.10", reported_at=NOON, message_id="1",
        actor=both, at=NOON,
    )  # fmt: skip

    with pytest.raises(oos.InvestigatorIsAnalyst):
        oos_phases.record_phase_one(
            found.oos, found=factories.PHASE_ONE, actor=both, at=NOON, reason="first look at it"
        )


def test_the_analyst_takes_no_step_of_the_investigation_and_does_not_close_it(
    supervisor: User, quality: User, database_refuses: Refuses
) -> None:
    """A second role, or a later one, does not make the analyst another person."""
    both = factories.person(Role.QC_SUPERVISOR, Role.QUALITY_ASSURANCE)
    sample = factories.sample(factories.specified_batch())
    found = results.report(
        sample, tag="mab_g_l", unit="g/L", value_text="2.10", reported_at=NOON, message_id="1",
        actor=both, at=NOON,
    ).oos  # fmt: skip
    oos_phases.record_phase_one(
        found, found=factories.PHASE_ONE, actor=supervisor, at=NOON, reason="first look at it"
    )

    with pytest.raises(oos.InvestigatorIsAnalyst):
        oos_phases.close_phase_one(found, cause=CAUSE, confirmed=factories.confirmed(both))
    made = oos_phases.close_phase_one(found, cause=None, confirmed=factories.confirmed(supervisor))
    with pytest.raises(oos.InvestigatorIsAnalyst):
        oos_phases.find_cause(made, cause=CAUSE, confirmed=factories.confirmed(both))
    made = oos_phases.find_cause(made, cause=CAUSE, confirmed=factories.confirmed(supervisor))
    with pytest.raises(oos.InvestigatorIsAnalyst):
        _conclude(made, both, Conclusion.INVALIDATED)
    made = _conclude(made, supervisor, Conclusion.INVALIDATED)
    with pytest.raises(oos.InvestigatorIsAnalyst):
        _close(made, both)
    database_refuses(
        "UPDATE laboratory_oosinvestigation SET state = 'closed', approver_id = %s, "
        "closed_at = now() WHERE id = %s", both.pk, made.pk,
        saying="its analyst neither leads nor closes it",
    )  # fmt: skip
    assert _close(made, quality).state == "closed"


# --- Nothing is tested into compliance beside the investigation


def test_a_sample_that_a_person_registers_after_the_oos_is_no_earlier_one(
    analyst: User, database_refuses: Refuses
) -> None:
    """Whatever time of sampling the analyst writes: the clock of the program counts."""
    made = factories.oos_investigation()
    late = samples.take(
        made.batch, number="S-BACKDATED", taken_at=NOON - timedelta(hours=5), actor=analyst,
        at=LATER,
    )  # fmt: skip

    with pytest.raises(oos_opening.OosStands):
        factories.result(late, at=LATER)
    database_refuses(
        "INSERT INTO laboratory_result (sample_id, tag, version, value_text, value, unit, analyst, "
        "reported_at, recorded_at, reason, message_id, test_id, judged_value, judgement, trend) "
        "VALUES (%s, 'mab_g_l', 1, '3.00', 3, 'g/L', '', %s, %s, '', 'x', %s, 3, 'conforms', '')",
        late.pk, LATER, LATER, made.test_id, saying="its result is neither corrected",
    )  # fmt: skip
    database_refuses(
        "UPDATE laboratory_sample SET registered_at = NULL WHERE id = %s", late.pk,
        saying="a sample stays as it was taken",
    )  # fmt: skip


@pytest.mark.parametrize("number", ["", "S-1 ", "S\u20111\u200b", "S-\u202e1", "Ｓ-1", "S  1"])
def test_a_sample_has_a_number_that_reads_as_it_is_written(number: str, analyst: User) -> None:
    batch = factories.specified_batch()

    with pytest.raises(samples.SampleNumberInvalid):
        samples.take(batch, number=number, taken_at=NOON, actor=analyst, at=NOON)


def test_an_oos_result_is_not_corrected_while_it_stands() -> None:
    made = factories.oos_investigation()
    assert made.result is not None

    with pytest.raises(oos_opening.OosStands):
        factories.result(made.result.sample, version=2, reason="a second look at it")


def test_a_later_sample_does_not_take_its_place() -> None:
    made = factories.oos_investigation()

    with pytest.raises(oos_opening.OosStands):
        factories.result(factories.sample(made.batch, at=LATER), at=LATER)


def test_an_aliquot_does_not_take_its_place() -> None:
    made = factories.oos_investigation()
    assert made.result is not None
    aliquot = custody.split(
        made.result.sample, number="A-1", actor=factories.person(Role.QC_ANALYST), at=NOON,
        reason="a part to look at again",
    )  # fmt: skip

    with pytest.raises(oos_opening.OosStands):
        factories.result(aliquot, at=LATER)


def test_a_sample_taken_before_the_oos_was_found_is_reported_as_usual() -> None:
    batch = factories.specified_batch()
    before = factories.sample(batch)
    factories.oos_investigation(about=batch, at=LATER)

    assert factories.result(before, at=LATER).judgement == "conforms"


def test_the_sample_is_retained_while_it_is_investigated() -> None:
    made = factories.oos_investigation()
    assert made.result is not None
    analyst = factories.person(Role.QC_ANALYST)
    said = {"happened_at": NOON, "actor": analyst, "at": NOON, "reason": "tidying up the fridge"}
    custody.move(made.result.sample, kind=CustodyKind.RECEIVED, location="Fridge 2", **said)  # type: ignore[arg-type]

    with pytest.raises(custody.SampleNeeded):
        custody.move(made.result.sample, kind=CustodyKind.DISPOSED, **said)  # type: ignore[arg-type]


# --- The same rules in the database

_RETEST = (
    "INSERT INTO laboratory_retest (oos_id, number, sample_id, value_text, value, is_outside, "
    "analyst_id, tested_at, recorded_at) VALUES (%s, %s, %s, '3.0', %s, false, %s, %s, now())"
)


def test_the_database_takes_no_retest_before_phase_one_is_closed(
    analyst: User, database_refuses: Refuses
) -> None:
    made = factories.oos_investigation()
    assert made.result is not None

    database_refuses(
        _RETEST, made.pk, 1, made.result.sample_id, "3.0", analyst.pk, LATER,
        saying="no retest before its plan is approved",
    )  # fmt: skip


@pytest.mark.parametrize("wrong", ["number", "analyst", "sample", "time", "value"])
def test_the_database_takes_only_the_retests_of_the_plan(
    wrong: str, supervisor: User, quality: User, analyst: User, database_refuses: Refuses
) -> None:
    made = _retesting(supervisor, quality, analyst)
    assert made.result is not None
    sample = factories.sample(made.batch, at=LATER) if wrong == "sample" else made.result.sample
    saying = {
        "number": "2 retests are planned", "analyst": "another analyst retests",
        "sample": "not the one of the plan", "time": "no retest before its plan",
        "value": "outside its limits",
    }  # fmt: skip

    database_refuses(
        _RETEST,
        made.pk,
        3 if wrong == "number" else 1,
        sample.pk,
        "1.0" if wrong == "value" else "3.0",
        supervisor.pk if wrong == "analyst" else analyst.pk,
        NOON - timedelta(hours=1) if wrong == "time" else LATER,
        saying=saying[wrong],
    )


@pytest.mark.parametrize(
    ("change", "saying"),
    [
        ("state = 'retesting'", "goes not from phase-one"),
        ("state = 'closed'", "goes not from phase-one"),
        ("state = 'phase-two'", "oos_phase_one_first"),
        ("conclusion = 'invalidated'", "before the closure"),
        ("value_text = '3.00'", "what an investigation is about"),
        ("batch_id = batch_id + 1", "what an investigation is about"),
        ("plan_kind = 'retest'", "a retest plan is made in Phase II"),
        ("plan_approved_at = now()", "approved once, before any retest"),
        ("production_review = 'x'", "production is reviewed in Phase II"),
    ],
)
def test_the_database_lets_nothing_be_skipped(
    change: str, saying: str, database_refuses: Refuses
) -> None:
    made = factories.oos_investigation()

    database_refuses(
        f"UPDATE laboratory_oosinvestigation SET {change} WHERE id = %s", made.pk, saying=saying
    )


def test_the_database_invalidates_nothing_without_a_cause(
    supervisor: User, quality: User, analyst: User, database_refuses: Refuses
) -> None:
    made = _retesting(supervisor, quality, analyst)
    _retest(made, analyst)
    _retest(made, analyst)
    _reviewed(made, supervisor)

    database_refuses(
        "UPDATE laboratory_oosinvestigation SET state = 'concluded', conclusion = 'invalidated', "
        "conclusion_text = 'all retests passed', concluded_at = now() WHERE id = %s",
        made.pk,
        saying="oos_invalidated_only_with_cause",
    )


@pytest.mark.parametrize(
    ("change", "saying"),
    [
        ("retest_count = 7", "not changed once approved"),
        ("retest_analyst_id = plan_author_id", "not changed once approved"),
        ("state = 'retested'", "0 of 2 retests are done"),
        ("checklist = '{}'", "Phase I is closed"),
        ("has_cause = true", "a cause is recorded in Phase I or II|oos_cause_with_evidence"),
    ],
)
def test_the_database_keeps_the_plan_and_phase_one(
    change: str, saying: str, supervisor: User, quality: User, database_refuses: Refuses
) -> None:
    made = _retesting(supervisor, quality, factories.person(Role.QC_ANALYST))

    database_refuses(
        f"UPDATE laboratory_oosinvestigation SET {change} WHERE id = %s", made.pk, saying=saying
    )


def test_the_database_keeps_investigator_and_approver_apart(
    supervisor: User, database_refuses: Refuses
) -> None:
    made = factories.investigated_oos(factories.oos_investigation(), by=supervisor, cause=CAUSE)
    _conclude(made, supervisor, Conclusion.INVALIDATED)

    database_refuses(
        "UPDATE laboratory_oosinvestigation SET state = 'closed', approver_id = investigator_id, "
        "closed_at = now() WHERE id = %s",
        made.pk,
        saying="oos_closed_by_quality",
    )


def test_the_database_closes_no_confirmed_oos_without_a_deviation(
    supervisor: User, quality: User, database_refuses: Refuses
) -> None:
    made = _conclude(_reviewed(_in_phase_two(supervisor), supervisor), supervisor)

    database_refuses(
        "UPDATE laboratory_oosinvestigation SET state = 'closed', approver_id = %s, "
        "closed_at = now() WHERE id = %s",
        quality.pk,
        made.pk,
        saying="carried into a deviation",
    )


def test_the_database_keeps_what_is_closed(
    supervisor: User, quality: User, database_refuses: Refuses
) -> None:
    made = factories.investigated_oos(factories.oos_investigation(), by=supervisor, cause=CAUSE)
    closed = _close(_conclude(made, supervisor, Conclusion.INVALIDATED), quality)

    database_refuses(
        "UPDATE laboratory_oosinvestigation SET state = 'phase-one' WHERE id = %s",
        closed.pk,
        saying="is closed",
    )


@pytest.mark.parametrize("way", ["version", "later", "aliquot"])
def test_the_database_takes_no_result_that_would_dilute_the_oos(
    way: str, database_refuses: Refuses
) -> None:
    made = factories.oos_investigation()
    assert made.result is not None
    sample: Sample = made.result.sample
    if way == "later":
        sample = factories.sample(made.batch, at=LATER)
    if way == "aliquot":
        sample = custody.split(
            sample, number="A-1", actor=factories.person(Role.QC_ANALYST), at=NOON,
            reason="a part to look at again",
        )  # fmt: skip

    database_refuses(
        "INSERT INTO laboratory_result (sample_id, tag, version, value_text, value, unit, analyst,"
        " reported_at, recorded_at, reason, message_id, test_id, judged_value, judgement, trend) "
        "VALUES (%s, 'mab_g_l', %s, '3.00', 3, 'g/L', '', now(), now(), 'mean of three', 'x', %s, "
        "%s, 'conforms', '')",
        sample.pk, 2 if way == "version" else 1, made.test_id, Decimal("3.00"),
        saying="neither corrected nor averaged away",
    )  # fmt: skip


def test_samples_keep_their_numbers() -> None:
    batch = factories.running_batch()
    lims = factories.device()
    for number in ("S-001", "S-002", "S-005", "X"):
        samples.take(batch, number=number, taken_at=NOON, actor=lims, at=NOON)

    assert samples.missing_numbers(batch) == ["S-003", "S-004"]
