"""People's entries: in their unit, plausible, judged at once; calculations done twice."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from batches.execution import calculating, examinations, exceptions, files, remarks, verification
from batches.execution.calculating import NoYieldExpected, YieldRecorded
from batches.execution.examinations import Count, SpecimenDiffers
from batches.execution.exceptions import (
    CauserAssesses,
    DeviationNeeded,
    DeviationOfAnotherBatch,
    ExceptionAssessed,
)
from batches.execution.files import Content, FileAttached
from batches.execution.in_process import ParameterUnknown, ValueInvalid
from batches.execution.late import EnteredLate
from batches.execution.models import (
    BatchPhase,
    EventKind,
    ExaminationKind,
    ExceptionKind,
    ExceptionState,
)
from batches.execution.phases import PerformerVerifies
from batches.execution.plausibility import ValueImplausible
from batches.execution.verification import EntryVerified
from batches.quantities.units import Quantity, UnitMismatch, UnitUnknown
from batches.recipes.drafts import LabelDraft, ParameterDraft
from batches.recipes.models import Criticality, ParameterKind
from compliance.access.duties import Role
from compliance.signatures import signing
from compliance.trail import attachments
from tests import factories
from tests.factories import NOON, RECIPE

pytestmark = pytest.mark.django_db

WIDE = replace(
    RECIPE,
    parameters=[
        *RECIPE.parameters,
        ParameterDraft(
            tag="fill_g", name="Fill", kind=ParameterKind.IN_PROCESS, unit="g",
            criticality=Criticality.CQA, low=Decimal("10"), high=Decimal("12"),
            proven_low=Decimal("9"), proven_high=Decimal("13"),
        ),
    ],
)  # fmt: skip
SPECIMEN = Content("label.txt", "text/plain", b"Product X, lot, expiry")


@pytest.fixture
def phase() -> BatchPhase:
    return factories.ready_phase(WIDE)


@pytest.fixture
def last() -> BatchPhase:
    return factories.ready_phase(WIDE, name="Harvest")


def _kinds(phase: BatchPhase) -> list[str]:
    return list(phase.batch.exceptions.order_by("pk").values_list("kind", flat=True))


def test_a_value_within_its_limits_is_no_exception(phase: BatchPhase) -> None:
    entered = factories.in_process(phase, value="7.00")

    assert (entered.value_text, entered.unit, entered.standing) == ("7.00", "[pH]", "within")
    assert _kinds(phase) == []


@pytest.mark.requirement("211-101/103/110/111", "211-100a/b")
@pytest.mark.parametrize(
    ("value", "standing"),
    [("9.99", "outside-normal"), ("12.01", "outside-normal"), ("13.01", "outside-proven")],
)
def test_a_value_outside_its_limits_is_flagged_as_it_arises(
    phase: BatchPhase, value: str, standing: str
) -> None:
    entered = factories.in_process(phase, value=value, tag="fill_g", unit="g")

    assert entered.standing == standing
    found = phase.batch.exceptions.get()
    assert (found.kind, found.is_critical, found.is_open) == ("out-of-limits", True, True)
    assert found.subject == f"execution_inprocessresult {entered.pk}"
    assert found.clause == "21 CFR 211.110(b)"


@pytest.mark.requirement("211-68b", "A11D-10")
def test_a_value_in_another_unit_is_refused_or_converted_and_kept_both_ways(
    phase: BatchPhase,
) -> None:
    with pytest.raises(UnitMismatch):
        factories.in_process(phase, value="0.011", tag="fill_g", unit="kg")
    with pytest.raises(UnitUnknown):
        factories.in_process(phase, value="11", tag="fill_g", unit="grms")

    entered = factories.in_process(phase, value="0.0110", tag="fill_g", unit="kg", convert=True)

    assert (entered.value_text, entered.unit) == ("11.0", "g")
    assert (entered.given_value, entered.given_unit) == ("0.0110", "kg")


@pytest.mark.requirement("A11D-10", "211-68b")
@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("25.1", "implausible-range"),
        ("-3.1", "implausible-range"),
        ("11.00001", "implausible-digits"),
        ("11.0000000000000", ""),
    ],
)
def test_an_implausible_value_needs_a_reason(phase: BatchPhase, value: str, code: str) -> None:
    if not code:
        with pytest.raises(ValueInvalid):
            factories.in_process(phase, value=value, tag="fill_g", unit="g")
        return
    with pytest.raises(ValueImplausible) as refused:
        factories.in_process(phase, value=value, tag="fill_g", unit="g")
    assert code in {error["code"] for error in refused.value.errors}

    factories.in_process(
        phase, value=value, tag="fill_g", unit="g", override_reason="weighed twice, it is so"
    )

    assert ExceptionKind.IMPLAUSIBLE in _kinds(phase)


@pytest.mark.requirement("A11D-10")
@pytest.mark.parametrize("value", ["25", "-3"])
def test_a_value_at_the_edge_of_plausibility_is_taken(phase: BatchPhase, value: str) -> None:
    """The widest range is 9 to 13, so 3 widths of 4 beyond it are 25 and -3."""
    assert factories.in_process(phase, value=value, tag="fill_g", unit="g").override_reason == ""


def test_a_moment_before_the_phase_is_implausible(phase: BatchPhase) -> None:
    with pytest.raises(ValueImplausible) as refused:
        factories.in_process(phase, value="7.00", performed_at=NOON - timedelta(minutes=5))

    assert refused.value.errors[0]["code"] == "implausible-date"


@pytest.mark.requirement("CH4-8")
def test_a_late_value_needs_reason_and_witness(phase: BatchPhase) -> None:
    with pytest.raises(EnteredLate):
        factories.in_process(
            phase, value="7.00", performed_at=NOON, at=NOON + timedelta(minutes=16)
        )


@pytest.mark.parametrize("value", ["", "7,00", "7.0.0", "1e3", "NaN", "٧", " 7", "+7", "7."])
def test_what_is_no_plain_number_is_refused(phase: BatchPhase, value: str) -> None:
    with pytest.raises(ValueInvalid):
        factories.in_process(phase, value=value)


def test_an_unknown_parameter_is_refused(phase: BatchPhase) -> None:
    with pytest.raises(ParameterUnknown):
        factories.in_process(phase, value="7.00", tag="colour")


@pytest.mark.requirement("A11-6", "211-68b")
def test_a_second_person_checks_an_entry_once_and_never_the_first_one(phase: BatchPhase) -> None:
    operator = factories.person(Role.OPERATOR)
    entered = factories.in_process(phase, value="7.00", by=operator)
    second = factories.person(Role.SUPERVISOR)

    with pytest.raises(PerformerVerifies):
        verification.verify(entered, confirmed=factories.confirmed(operator))
    verified = verification.verify(entered, confirmed=factories.confirmed(second))
    with pytest.raises(EntryVerified):
        verification.verify(
            entered, confirmed=factories.confirmed(factories.person(Role.SUPERVISOR))
        )

    assert verified.verified_by == second
    (signature,) = signing.of(verified)
    assert signing.is_current(signature, verified)


def test_what_a_system_measured_outside_is_flagged_and_kept(phase: BatchPhase) -> None:
    factories.happened(
        phase.batch, EventKind.MEASUREMENT, tag="fill_g", value="14", unit="g", phase=phase.name
    )

    assert _kinds(phase) == ["out-of-limits"]


# --- Calculations


@pytest.mark.requirement("211-101/103/110/111")
@pytest.mark.parametrize(
    ("actual", "percent", "kinds"),
    [("96.4", "96.40", []), ("84.9", "84.90", ["yield"]), ("105.1", "105.10", ["yield"])],
)
def test_a_yield_is_computed_twice_and_flagged_outside(
    last: BatchPhase, actual: str, percent: str, kinds: list[str]
) -> None:
    made = calculating.record_yield(
        last, actual=Quantity(Decimal(actual), "g"), actor=factories.person(Role.OPERATOR), at=NOON
    )

    assert (made.result, made.recomputed, made.unit) == (percent, percent, "%")
    assert made.inputs["theoretical"] == [["100.000000", "g"]]
    assert _kinds(last) == kinds


@pytest.mark.requirement("211-68b")
def test_a_yield_in_kilograms_of_a_recipe_in_grams_is_refused(last: BatchPhase) -> None:
    with pytest.raises(UnitMismatch):
        calculating.record_yield(
            last, actual=Quantity(Decimal("0.096"), "kg"), at=NOON,
            actor=factories.person(Role.OPERATOR),
        )  # fmt: skip


def test_a_yield_is_recorded_once_and_where_one_is_expected(
    phase: BatchPhase, last: BatchPhase
) -> None:
    operator = factories.person(Role.OPERATOR)
    actual = Quantity(Decimal("96"), "g")
    calculating.record_yield(last, actual=actual, actor=operator, at=NOON)

    with pytest.raises(YieldRecorded):
        calculating.record_yield(last, actual=actual, actor=operator, at=NOON)
    with pytest.raises(NoYieldExpected):
        calculating.record_yield(phase, actual=actual, actor=operator, at=NOON)


# --- Labels and examinations


def _labels(last: BatchPhase, count: Count, specimen: Content = SPECIMEN) -> object:
    return examinations.account_labels(
        last.batch.labels.get(), phase=last, count=count, specimen=specimen, performed_at=NOON,
        actor=factories.person(Role.OPERATOR), at=NOON,
    )  # fmt: skip


@pytest.mark.requirement("211-188")
def test_labels_are_reconciled_with_a_specimen(last: BatchPhase) -> None:
    made = _labels(last, Count(issued=100, used=95, returned=3, destroyed=1, sampled=1))

    assert made.reconciliation.result == "100.00"
    assert attachments.open_(made.specimen).read() == SPECIMEN.content
    assert _kinds(last) == []


def test_a_missing_label_is_flagged(last: BatchPhase) -> None:
    _labels(last, Count(issued=100, used=95, returned=4))

    assert _kinds(last) == ["reconciliation"]


def test_a_specimen_is_the_approved_one() -> None:
    approved = replace(
        WIDE,
        labels=[LabelDraft("LABEL-1", "1", "Bioreactor/Harvest", specimen_digest="0" * 64)],
    )
    last = factories.ready_phase(approved, name="Harvest")

    with pytest.raises(SpecimenDiffers):
        _labels(last, Count(issued=1, used=1))


def test_what_does_not_conform_is_flagged(phase: BatchPhase) -> None:
    examinations.examine(
        phase, kind=ExaminationKind.AREA_BEFORE, is_conforming=False, performed_at=NOON, at=NOON,
        finding="a label of the batch before lay under the line",
        actor=factories.person(Role.OPERATOR),
    )  # fmt: skip

    assert _kinds(phase) == ["examination"]


# --- Exceptions


def _exception(phase: BatchPhase) -> object:
    factories.in_process(phase, value="12.5", tag="fill_g", unit="g")
    return phase.batch.exceptions.get()


@pytest.mark.requirement("211-100a/b")
def test_a_missed_limit_is_assessed_only_with_its_deviation(phase: BatchPhase) -> None:
    found = _exception(phase)
    quality = factories.person(Role.QUALITY_ASSURANCE)

    with pytest.raises(DeviationNeeded):
        exceptions.assess(
            found, confirmed=factories.confirmed(quality), assessment="no effect on the product"
        )
    other = factories.deviation()
    with pytest.raises(DeviationOfAnotherBatch):
        exceptions.link(found, deviation=other, actor=quality, at=NOON)
    exceptions.link(found, deviation=factories.deviation(phase.batch), actor=quality, at=NOON)
    assessed = exceptions.assess(
        found, confirmed=factories.confirmed(quality), assessment="no effect on the product"
    )

    assert assessed.state == ExceptionState.ASSESSED
    (signature,) = signing.of(assessed)
    assert signing.is_current(signature, assessed)
    with pytest.raises(ExceptionAssessed):
        exceptions.assess(
            found, confirmed=factories.confirmed(quality), assessment="once more the same"
        )


def test_whoever_caused_an_exception_does_not_assess_it(phase: BatchPhase) -> None:
    both = factories.person(Role.SUPERVISOR)
    factories.in_process(phase, value="12.5", tag="fill_g", unit="g", by=both)

    with pytest.raises(CauserAssesses):
        exceptions.assess(
            phase.batch.exceptions.get(), confirmed=factories.confirmed(both),
            assessment="no effect on the product",
        )  # fmt: skip


# --- Remarks and files


def test_remarks_are_added_also_after_the_disposition(phase: BatchPhase) -> None:
    operator = factories.person(Role.OPERATOR)

    remarks.add(phase.batch, phase=phase, text="foam up to the port", actor=operator, at=NOON)

    assert phase.batch.remarks.get().text == "foam up to the port"


@pytest.mark.parametrize("make", [files.attach])
def test_a_file_is_kept_by_its_digest_and_never_overwritten(
    phase: BatchPhase, make: Callable[..., object]
) -> None:
    operator = factories.person(Role.OPERATOR)
    told = {"title": "printout of the balance", "actor": operator, "at": NOON}
    first = Content("print.txt", "text/plain", b"12.5 g")

    kept = make(phase.batch, content=first, **told)
    with pytest.raises(FileAttached):
        make(phase.batch, content=first, **told)
    other = make(phase.batch, content=replace(first, content=b"12.4 g"), **told)

    assert attachments.open_(kept.attachment).read() == b"12.5 g"
    assert attachments.open_(other.attachment).read() == b"12.4 g"
    assert phase.batch.files.count() == 2
