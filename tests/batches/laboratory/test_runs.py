"""Runs keep every injection, show their gaps, and are reviewed with their audit trail (211.194)."""

import io
from datetime import date, timedelta

import pytest

from batches.laboratory import (
    injections,
    objections,
    orphans,
    reagents,
    results,
    runs,
    states,
)
from batches.laboratory.injections import RawData
from batches.laboratory.models import (
    InjectionKind,
    InjectionOutcome,
    Reagent,
    ReagentKind,
    RunState,
)
from batches.laboratory.results import Measured
from compliance.access.duties import Role
from compliance.refusals import Refused
from compliance.signatures import signing
from compliance.trail.models import Entry
from tests import factories
from tests.batches.laboratory.conftest import Refuses
from tests.factories import NOON

pytestmark = [pytest.mark.django_db, pytest.mark.requirement("211-194")]


def _reagent(expires_on: date = date(2026, 12, 31)) -> Reagent:
    return reagents.register(
        code="ACN", lot=str(expires_on), name="Acetonitrile", kind=ReagentKind.REAGENT,
        expires_on=expires_on, actor=factories.person(Role.QC_ANALYST), at=NOON,
    )  # fmt: skip


def test_a_gap_in_the_injection_numbers_is_orphan_data_until_it_is_explained() -> None:
    run = factories.run(planned=4)
    for number in (1, 2, 4):
        factories.injection(run, number)
    run = runs.complete(run, ended_at=NOON, actor=run.analyst, at=NOON)
    assert orphans.of(run) == [orphans.Orphan("injection 3")]

    with pytest.raises(runs.DataUnexplained, match="injection 3"):
        factories.reviewed_run(run)
    runs.explain(
        run, orphan="injection 3", text="The sampler skipped an empty vial; see its log.",
        actor=run.analyst, at=NOON,
    )  # fmt: skip

    assert factories.reviewed_run(run).state == RunState.REVIEWED
    assert orphans.of(run) == [
        orphans.Orphan("injection 3", "The sampler skipped an empty vial; see its log.")
    ]


def test_injections_that_were_planned_and_are_missing_at_the_end_are_gaps() -> None:
    run = factories.run(planned=3)
    factories.injection(run, 1)
    assert orphans.of(run) == []

    run = runs.abort(
        run, ended_at=NOON, actor=run.analyst, at=NOON, reason="the pump lost its pressure"
    )

    assert [one.name for one in orphans.of(run)] == ["injection 2", "injection 3"]


def test_raw_data_of_no_injection_are_orphans() -> None:
    run = factories.run(planned=1)
    injections.record(
        run, number=1, kind=InjectionKind.BLANK, injected_at=NOON, actor=run.analyst, at=NOON,
        raw_data=RawData(io.BytesIO(b"chromatogram 1"), "1.cdf"),
    )  # fmt: skip
    digest = injections.attach(
        run, raw_data=RawData(io.BytesIO(b"trial"), "trial.cdf"), actor=run.analyst, at=NOON
    )

    assert [one.name for one in orphans.of(run)] == [f"raw data {digest}"]


def test_an_aborted_injection_stays_with_its_reason() -> None:
    run = factories.run(planned=2)
    factories.injection(run, 1, outcome=InjectionOutcome.ABORTED)

    with pytest.raises(injections.InjectionKnown):
        factories.injection(run, 1)
    found = run.injections.get()
    assert (found.outcome, found.reason) == ("aborted", "pressure dropped to zero")


@pytest.mark.parametrize("outcome", [InjectionOutcome.ABORTED, InjectionOutcome.INVALID])
def test_suitability_does_not_pass_with_one_injection_left_out(
    outcome: InjectionOutcome, database_refuses: Refuses
) -> None:
    run = factories.run(planned=6)
    for number in range(1, 6):
        factories.injection(run, number)
    factories.injection(run, 6, outcome=outcome)

    with pytest.raises(runs.SuitabilityNotShown):
        runs.judge_suitability(
            run, has_passed=True, text="RSD of five 0.4 %", actor=run.analyst, at=NOON
        )
    database_refuses(
        "UPDATE laboratory_run SET suitability = 'passed' WHERE id = %s",
        run.pk,
        saying="passes with all its injections completed",
    )


def test_suitability_is_judged_once() -> None:
    run = factories.run()
    factories.injection(run, 1)
    runs.judge_suitability(run, has_passed=False, text="RSD 2.4 %", actor=run.analyst, at=NOON)

    with pytest.raises(states.RunStateForbids):
        runs.judge_suitability(run, has_passed=True, text="RSD 0.4 %", actor=run.analyst, at=NOON)


def test_an_expired_or_withdrawn_reagent_is_not_used(database_refuses: Refuses) -> None:
    expired = _reagent(NOON.date() - timedelta(days=1))
    withdrawn = reagents.withdraw(
        _reagent(), actor=factories.person(Role.QC_ANALYST), at=NOON, reason="it turned cloudy"
    )
    run = factories.run()

    for one in (expired, withdrawn):
        with pytest.raises(reagents.ReagentNotUsable):
            factories.run(used=[one])
        with pytest.raises(reagents.ReagentNotUsable):
            runs.add_reagent(run, reagent=one, actor=run.analyst, at=NOON)
        database_refuses(
            "INSERT INTO laboratory_runreagent (run_id, reagent_id) VALUES (%s, %s)",
            run.pk,
            one.pk,
            saying="expired or withdrawn",
        )


def test_a_reagent_is_in_date_on_its_last_day() -> None:
    last = _reagent(NOON.date())

    assert factories.run(used=[last]).reagents.get().reagent == last


def test_a_run_is_reviewed_by_another_person_who_saw_all_of_its_trail(
    database_refuses: Refuses,
) -> None:
    analyst = factories.person(Role.QC_SUPERVISOR)
    run = factories.run(by=analyst, planned=1)
    factories.injection(run, 1)
    run = runs.complete(run, ended_at=NOON, actor=analyst, at=NOON)
    entries = orphans.trail_entries(run)

    with pytest.raises(runs.ReviewerIsAnalyst):
        runs.review(run, entries_seen=entries, confirmed=factories.confirmed(analyst))
    reviewer = factories.confirmed(factories.person(Role.QC_SUPERVISOR))
    with pytest.raises(runs.TrailNotSeen):
        runs.review(run, entries_seen=entries - 1, confirmed=reviewer)
    reviewed = runs.review(run, entries_seen=entries, confirmed=reviewer)

    assert signing.of(reviewed)
    database_refuses(
        "UPDATE laboratory_run SET state = 'completed' WHERE id = %s", run.pk, saying="goes|become"
    )


def test_the_database_lets_no_analyst_review_the_own_run(database_refuses: Refuses) -> None:
    run = factories.run()
    runs.complete(run, ended_at=NOON, actor=run.analyst, at=NOON)

    database_refuses(
        "UPDATE laboratory_run SET state = 'reviewed', reviewer_id = analyst_id, "
        "reviewed_at = now(), reviewed_entries = 1 WHERE id = %s",
        run.pk,
        saying="run_reviewed_by_another",
    )


def test_what_is_counted_is_what_the_trail_has() -> None:
    run = factories.run(planned=2)
    first = factories.injection(run, 1)
    second = factories.injection(run, 2)
    injections.invalidate(second, actor=run.analyst, at=NOON, reason="an air bubble in the loop")

    found = Entry.objects.filter(record="laboratory_run", record_id=str(run.pk)).count()
    found += Entry.objects.filter(
        record="laboratory_injection", record_id__in=[str(first.pk), str(second.pk)]
    ).count()

    assert orphans.trail_entries(run) == found == 4


@pytest.mark.parametrize(
    "change", ["number = 9", "outcome = 'aborted', reason = 'because of it'", "kind = 'blank'"]
)
def test_the_database_keeps_injections_as_they_are(change: str, database_refuses: Refuses) -> None:
    found = factories.injection(factories.run(), 1)

    database_refuses(
        f"UPDATE laboratory_injection SET {change} WHERE id = %s",
        found.pk,
        saying="only ever becomes invalid",
    )


def test_an_injection_with_a_result_is_not_invalidated_quietly() -> None:
    from batches.laboratory import results
    from batches.laboratory.results import Measured

    sample = factories.sample(factories.specified_batch())
    run = factories.suitable_run(factories.run())
    found = factories.injection(run, 2, InjectionKind.SAMPLE, sample=sample)
    results.report(
        sample, tag="mab_g_l", unit="g/L", reported_at=NOON, message_id="1", actor=run.analyst,
        at=NOON, run=run, replicates=[Measured("3.00", found)],
    )  # fmt: skip

    with pytest.raises(Refused, match="a result was calculated"):
        injections.invalidate(found, actor=run.analyst, at=NOON, reason="an air bubble in it")


# --- Nothing that was measured is left out


def test_an_injection_of_a_sample_without_a_result_is_orphan_data_until_it_is_explained() -> None:
    """FDA, OOS guidance: who sees a failing value and injects again reports the first one too."""
    analyst = factories.person(Role.QC_ANALYST)
    batch = factories.specified_batch()
    sample = factories.sample(batch)
    run = factories.suitable_run(factories.run(by=analyst, planned=3))
    factories.injection(run, 2, InjectionKind.SAMPLE, sample=sample)
    again = factories.injection(run, 3, InjectionKind.SAMPLE, sample=sample)
    results.report(
        sample, tag="mab_g_l", unit="g/L", reported_at=NOON, message_id="1", actor=analyst,
        at=NOON, run=run, replicates=[Measured("3.00", again)],
    )  # fmt: skip
    assert orphans.of(run) == []  # the run goes on, and so may the reporting
    run = runs.complete(run, ended_at=NOON, actor=analyst, at=NOON)

    assert [one.name for one in orphans.of(run)] == ["result of injection 2"]
    assert "result of injection 2" in objections.orphan_data(batch)[0]
    with pytest.raises(runs.DataUnexplained, match="result of injection 2"):
        factories.reviewed_run(run)
    runs.explain(
        run, orphan="result of injection 2", actor=analyst, at=NOON,
        text="The vial was a wash; see the photograph of the tray.",
    )  # fmt: skip
    assert factories.reviewed_run(run).state == RunState.REVIEWED


@pytest.mark.parametrize(("count", "left"), [(1, []), (2, ["result of injection 3"])])
def test_a_result_that_names_no_injection_stands_for_as_many_as_it_needs(
    count: int, left: list[str]
) -> None:
    analyst = factories.person(Role.QC_ANALYST)
    sample = factories.sample(factories.specified_batch())
    run = factories.suitable_run(factories.run(by=analyst, planned=count + 1))
    for number in range(2, 2 + count):
        factories.injection(run, number, InjectionKind.SAMPLE, sample=sample)
    results.report(
        sample, tag="mab_g_l", unit="g/L", reported_at=NOON, message_id="1", actor=analyst,
        at=NOON, run=run, value_text="3.00",
    )  # fmt: skip

    run = runs.complete(run, ended_at=NOON, actor=analyst, at=NOON)

    assert [one.name for one in orphans.of(run)] == left


def test_what_an_aborted_run_had_measured_is_not_lost() -> None:
    sample = factories.sample(factories.specified_batch())
    run = factories.suitable_run(factories.run(planned=2))
    factories.injection(run, 2, InjectionKind.SAMPLE, sample=sample)

    run = runs.abort(
        run, ended_at=NOON, actor=run.analyst, at=NOON, reason="the baseline did not please me"
    )

    assert [one.name for one in orphans.of(run)] == ["result of injection 2"]
