"""BR-11: compare what a deviation report claims with the records it is about, claim by claim."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from batches.execution.inspection import measured
from batches.execution.inspection.alarms import FLAG
from batches.execution.inspection.measured import Measured
from batches.execution.inspection.record_completeness import EQUIPMENT
from batches.execution.models import Batch
from compliance.inspection import outcomes, wording
from compliance.inspection.outcomes import Evidence, Fact, Outcome
from compliance.inspection.registry import CHECKS, Parameters
from compliance.inspection.snapshots import Snapshot
from compliance.quality.models import Deviation

_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


@dataclass(frozen=True)
class Compared:
    """One statement of a report: what it is about, and what contradicts it, if anything."""

    subject: str
    contradiction: str = ""
    records: tuple[Measured, ...] = ()


@CHECKS.register("BR-11")
def check(snapshot: Snapshot, parameters: Parameters) -> Outcome:
    """Report statements that the records contradict or cannot confirm; name those that agree."""
    recorded = measured.of(snapshot)
    facts: list[Fact] = []
    agreeing: list[str] = []
    examined = 0
    for batch in snapshot.rows(Batch):
        records = recorded.get(batch.number, [])
        for deviation in batch.deviations.order_by("number"):
            if not deviation.claims or not records:
                continue
            compared = list(_compare(deviation, records))
            examined += len(compared)
            agreed = [one.subject for one in compared if not one.contradiction]
            if agreed:
                agreeing.append(f"{deviation.number}: {wording.listed(agreed)}")
            facts += [_fact(deviation, batch, one) for one in compared if one.contradiction]
    if not examined:
        return outcomes.not_applicable("No imported deviation report can be held against records.")
    remark = f"In agreement with the records: {'; '.join(agreeing)}." if agreeing else ""
    return outcomes.judged(facts, examined=examined, failing=len(facts), remark=remark)


def _compare(deviation: Deviation, records: list[Measured]) -> Iterator[Compared]:
    """Yield one comparison for each claim that the records can speak to."""
    claims = {key: str(value) for key, value in deviation.claims.items()}
    found: list[Measured] = []
    if value := _NUMBER.search(claims.get("observed_value", "")):
        found = [one for one in records if one.value == Decimal(value[0])]
        yield Compared(
            "observed value",
            "" if found else f"observed value {claims['observed_value']}; no record has this value",
            tuple(found),
        )
    record = found[0] if len(found) == 1 else None
    if moment := claims.get("timestamp"):
        yield _moment(moment, records, record)
    if step := claims.get("process_step"):
        yield _step(step, records, record)
    if equipment := claims.get("equipment_id"):
        named = any(
            equipment in str(one.event.details.get(key, "")) for one in records for key in EQUIPMENT
        )
        said = f"equipment {equipment}; no record of the batch names it"
        yield Compared("equipment", "" if named else said)
    if (limit := _NUMBER.search(claims.get("upper_control_limit_ucl", ""))) and record:
        yield _limit(limit[0], claims["upper_control_limit_ucl"], record)
    if (operator := claims.get("operator")) and record:
        is_same = record.event.performed_by == operator
        said = f"operator {operator}; the record names {record.event.performed_by or 'nobody'}"
        yield Compared("operator", "" if is_same else said, (record,))
    if (number := claims.get("operator_alarms")) and operator:
        alarms = sum(
            one.event.performed_by == operator and one.event.details.get(FLAG) == "1"
            for one in records
        )
        said = f"{number} alarms of {operator}; the records have {alarms}"
        yield Compared("number of alarms of the operator", "" if str(alarms) == number else said)
    if (alarm := claims.get("alarm_triggered")) and record and FLAG in record.event.details:
        is_raised = record.event.details[FLAG] == "1"
        said = f"that the value triggered a {alarm}; the record of it carries no critical alarm"
        yield Compared("alarm", "" if is_raised else said, (record,))


def _moment(claimed: str, records: list[Measured], record: Measured | None) -> Compared:
    same = [one for one in records if one.when == claimed]
    if record is not None and record in same:
        return Compared("time", "", (record,))
    said = f"the time {claimed}; "
    if same:
        said += f"the record at that time is {same[0]}"
    else:
        said += (
            f"there is no record at that time, the records run from {records[0].when} to "
            f"{records[-1].when}"
        )
    if record is not None:
        said += (
            f", and the only value of {record.event.value} {record.event.unit} is at {record.when}"
        )
    return Compared("time", said, (record,) if record else (records[0], records[-1]))


def _step(claimed: str, records: list[Measured], record: Measured | None) -> Compared:
    if record is None:
        known = {one.event.phase for one in records}
        said = f"the step {claimed}; no record is of this step"
        return Compared("step", "" if claimed in known else said)
    is_same = record.event.phase == claimed
    said = (
        f"the step {claimed}; {record.event.value} {record.event.unit} is recorded at "
        f"{record.event.phase or 'no step'} ({record.where})"
    )
    return Compared("step", "" if is_same else said, (record,))


def _limit(claimed: str, text: str, record: Measured) -> Compared:
    high = record.parameter.high if record.parameter else None
    if high is not None and Decimal(claimed) == high:
        return Compared("upper limit", "", (record,))
    has = f"has {wording.number(high)}" if high is not None else "has none"
    return Compared("upper limit", f"an upper limit of {text}; the recipe {has}", (record,))


def _fact(deviation: Deviation, batch: Batch, compared: Compared) -> Fact:
    own = Evidence("quality_deviation", str(deviation.pk), {"number": deviation.number})
    return Fact(
        f"{deviation.number} on batch {batch.number} states {compared.contradiction}.",
        evidence=(own, *(one.evidence for one in compared.records)),
        batches=frozenset({batch.number}),
    )
