"""Report results of samples; a correction is a new version with a reason (21 CFR 211.194)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from batches.execution import events, signals, source_fitness
from batches.execution import states as batch_states
from batches.execution.states import Step
from batches.laboratory import custody, governing, judging, oos_opening, readiness, states, values
from batches.laboratory.actions import Action
from batches.laboratory.models import (
    Injection,
    InjectionOutcome,
    Judgement,
    Replicate,
    Result,
    ResultState,
    Run,
    Sample,
    SpecificationTest,
    Suitability,
    TestKind,
)
from batches.laboratory.states import ResultStep, RunStep, SampleStep
from batches.recipes.models import Parameter, ParameterKind
from compliance.access import authority
from compliance.access.authority import Principal
from compliance.access.duties import Duty
from compliance.access.models import Device
from compliance.refusals import Refused
from compliance.trail import recording

# The result names an unknown test, another unit, or no number.
ResultInvalid = values.ValueInvalid


class ResultReported(Refused):
    """There is a version already; replacing it takes the next version and a reason."""

    code = "result-reported"


class TestOnHold(Refused):
    """Quality put this test of this batch on hold."""

    code = "test-on-hold"
    __test__ = False  # no test case


class SuitabilityNotPassed(Refused):
    """System suitability passes before results of a run are reported (211.194(a)(2))."""

    code = "suitability-not-passed"


class ReplicatesIncomplete(Refused):
    """The specification says how many determinations a result is made of."""

    code = "replicates-incomplete"
    status = 422


@dataclass(frozen=True)
class Measured:
    """One determination: its value as written, and the injection it is from."""

    value_text: str
    injection: Injection | None = None


@dataclass(frozen=True)
class Reading:
    """What is stored of a reported value, before it is judged."""

    value_text: str
    value: Decimal
    replicates: Sequence[tuple[Measured, Decimal]] = field(default_factory=tuple)


def report(
    sample: Sample, *, tag: str, unit: str, reported_at: datetime, message_id: str,
    actor: Principal, at: datetime, value_text: str = "", analyst: str = "", version: int = 1,
    reason: str = "", run: Run | None = None, replicates: Sequence[Measured] = (),
) -> Result:  # fmt: skip
    """Record one result, judged as it is entered; an OOS opens its investigation in the same act.

    With `replicates` the value is calculated from them as the specification declares, and
    `value_text` is left out. Raise `ResultInvalid`, `ResultReported`, `OosStands` and others.
    """
    authority.demand(actor, Duty.ENTER_RESULTS)
    test = governing.test_for(sample, tag)
    if test is None:
        reading = _read_of_recipe(sample, tag, unit, value_text, replicates)
    else:
        readiness.demand_trained(actor, method_code=test.method_code, at=at)
        _demand_determinations(test, unit, replicates, is_person=not isinstance(actor, Device))
        reading = _read(test, value_text, replicates)
    events.demand_possible(reported_at, at=at)
    _demand_injections(reading, run)
    if reported_at < sample.taken_at:
        raise ResultInvalid(f"sample {sample.number} was taken after the result was reported")
    source = actor if isinstance(actor, Device) else None
    correction = recording.demand_reason(reason) if version > 1 else reason.strip()
    with recording.recording(
        Action.RESULT_CORRECTED if version > 1 else Action.RESULT_REPORTED,
        actor=actor,
        at=at,
        reason=correction or f"{tag} of sample {sample.number}",
    ):
        batch_states.hold(sample.batch, Step.REPORT_RESULT)
        # Two reports of one sample at once: the second one waits, and sees the first.
        Sample.objects.select_for_update(no_key=True).get(pk=sample.pk)
        if source and Result.objects.filter(source=source, message_id=message_id).exists():
            raise events.MessageKnown(f"{source} has sent another result as {message_id} before")
        states.demand(f"sample {sample.number}", custody.state_of(sample), SampleStep.TEST)
        _demand_next(sample, tag, version)
        if test is not None:
            _demand_allowed(sample, test)
        if run is not None:
            _demand_suitable(run, sample, reading)
        result = _judged(
            sample, test, reading, tag=tag, unit=unit, version=version, reported_at=reported_at,
            recorded_at=at, reason=correction, source=source, message_id=message_id, run=run,
            entered_by=None if source else actor,
            analyst=analyst or ("" if source else actor.trail_identity().name),
        )  # fmt: skip
        if test is not None and result.judgement == Judgement.OOS:
            oos_opening.of_result(result, test=test, actor=actor, at=at)
        source_fitness.judge(
            sample.batch, about=result, source=source, measured_at=reported_at, at=at
        )
        signals.announce(sample.batch, kind="result", record_id=result.pk)
    return result


def state_of(result: Result) -> ResultState:
    """Return where a result stands, as stored."""
    mine = Result.objects.filter(pk=result.pk)
    return next(state for state in ResultState if mine.in_state(state).exists())


def _judged(
    sample: Sample, test: SpecificationTest | None, reading: Reading, **stored: object
) -> Result:
    """Store a result with its judgement and its replicates."""
    judged = judging.Judged(None, Judgement.NONE)
    if test is not None:
        judged = judging.judge(
            test,
            reading.value,
            replicates=[value for _, value in reading.replicates],
            earlier=judging.earlier_values(sample, test),
        )
    result = Result.objects.create(
        sample=sample, test=test, value_text=reading.value_text, value=reading.value,
        judged_value=judged.value, judgement=judged.judgement, trend=judged.trend,
        **stored,
    )  # fmt: skip
    Replicate.objects.bulk_create(
        Replicate(
            result=result, number=number, value_text=one.value_text, value=value,
            injection=one.injection,
        )
        for number, (one, value) in enumerate(reading.replicates, start=1)
    )  # fmt: skip
    return result


def _read_of_recipe(
    sample: Sample, tag: str, unit: str, value_text: str, replicates: Sequence[Measured]
) -> Reading:
    """Read a value that no specification judges: a result parameter of the recipe."""
    if replicates:
        raise ResultInvalid(f"{tag}: no specification says how replicates are combined")
    _demand_parameter(sample, tag, unit)
    return Reading(value_text, values.read(value_text, name=tag))


def _read(test: SpecificationTest, value_text: str, replicates: Sequence[Measured]) -> Reading:
    if not replicates:
        return Reading(value_text, judging.read(test, value_text))
    if value_text or test.kind == TestKind.TEXT:
        raise ResultInvalid(f"{test.tag}: give the replicates or the value, not both")
    read = [(one, values.read(one.value_text, name=test.tag)) for one in replicates]
    exact = values.combined([value for _, value in read], reported_as=test.reported_as)
    value = values.rounded(exact, decimals=test.decimals, rule=test.rounding)
    return Reading(f"{value:f}", value, read)


def _demand_determinations(
    test: SpecificationTest, unit: str, replicates: Sequence[Measured], *, is_person: bool
) -> None:
    """A person gives every determination; of a system's results the system keeps them."""
    if unit != test.unit:
        raise ResultInvalid(f"{test.tag} is reported in {test.unit or 'no unit'}, got “{unit}”")
    given = len(replicates) or (1 if test.replicates == 1 or not is_person else 0)
    if given != test.replicates and (replicates or is_person):
        raise ReplicatesIncomplete(
            f"{test} is reported of {test.replicates} determinations, got {given}"
        )


def _demand_parameter(sample: Sample, tag: str, unit: str) -> None:
    parameters = Parameter.objects.filter(
        recipe__batches=sample.batch_id, kind=ParameterKind.RESULT
    )
    units = dict(parameters.values_list("tag", "unit"))
    if tag not in units:
        known = ", ".join(sorted(units)) or "none"
        raise ResultInvalid(f"“{tag}” is no test of the recipe or specification; known: {known}")
    if unit != units[tag]:
        raise ResultInvalid(f"{tag} is reported in {units[tag]}, got “{unit}”")


def _demand_next(sample: Sample, tag: str, version: int) -> None:
    last = Result.objects.filter(sample=sample, tag=tag).order_by("-version").first()
    expected = last.version + 1 if last else 1
    if version != expected:
        raise ResultReported(
            f"{tag} of sample {sample.number} is at version {expected - 1}: the next one is "
            f"version {expected}" + (", with a reason" if last else "")
        )
    if last is not None:
        states.demand(f"{tag} of sample {sample.number}", state_of(last), ResultStep.CORRECT)


def _demand_allowed(sample: Sample, test: SpecificationTest) -> None:
    if governing.on_hold(sample.batch, test):
        raise TestOnHold(f"{test.tag} of {sample.batch} is on hold: quality resumes it")
    oos_opening.demand_none_stands(sample, test)


def _demand_injections(reading: Reading, run: Run | None) -> None:
    """An injection counts once, and by way of its run: there its suitability was shown."""
    named = [one.injection for one, _ in reading.replicates if one.injection is not None]
    if named and run is None:
        raise ResultInvalid(f"{named[0]}: a result of injections names their run")
    if len({one.pk for one in named}) < len(named):
        raise ResultInvalid("each determination is of an injection of its own")


def _demand_suitable(run: Run, sample: Sample, reading: Reading) -> None:
    locked = Run.objects.select_for_update(no_key=True).get(pk=run.pk)
    states.demand(locked, locked.state, RunStep.REPORT)
    if locked.suitability != Suitability.PASSED:
        raise SuitabilityNotPassed(
            f"{locked}: its system suitability is {locked.get_suitability_display().lower()}; "
            "results are reported of runs in which it passed"
        )
    for one, _ in reading.replicates:
        stored = one.injection and Injection.objects.get(pk=one.injection.pk)
        if stored and (
            stored.run_id != locked.pk
            or stored.outcome != InjectionOutcome.COMPLETED
            or stored.sample_id != sample.pk
        ):
            raise ResultInvalid(f"{stored} is no completed injection of {sample} in {locked}")
