"""Gather the production record of a batch as BatchML gives it to another system.

People are given by their identity in the trail (`user:12`) and by what they did: no name, no
login, and no text of a source that may hold one (`performed_by`).
"""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

from batches.exchange.formats import batchml_out
from batches.exchange.formats.batch_records import (
    BatchRecord,
    Charge,
    Entry,
    Event,
    Material,
    Parameter,
    Person,
    Phase,
    Result,
    Sample,
)
from batches.execution.models import Batch
from compliance.access import authority
from compliance.access.authority import Principal
from compliance.access.duties import Duty
from compliance.access.models import Device, User
from compliance.trail.tlog import canonical


def document(batch: Batch, *, actor: Principal, at: datetime) -> bytes:
    """Return a batch's production record as BatchML V0700; raise `NotExpressible`."""
    if not isinstance(actor, Device):
        authority.demand(actor, Duty.READ)
    return batchml_out.write(record(batch, at=at))


def record(batch: Batch, *, at: datetime) -> BatchRecord:
    """Return the record as it is now; `at` is when it was made."""
    acts: dict[str, set[str]] = {}
    made = BatchRecord(
        number=batch.number,
        product=batch.recipe.product.code,
        product_name=batch.recipe.product.name,
        recipe_version=batch.recipe.version,
        recipe_title=batch.recipe.title,
        recipe_digest=batch.recipe_digest,
        state=batch.state,
        disposition=batch.disposition,
        issued_at=batch.issued_at.isoformat(),
        created_at=at.isoformat(),
        planned_size=_number(batch.planned_size),
        planned_unit=batch.planned_unit,
        started_at=_moment(batch.started_at),
        ended_at=_moment(batch.ended_at),
        phases=tuple(_phases(batch, acts)),
        parameters=tuple(_parameters(batch)),
        materials=tuple(_materials(batch)),
        charges=tuple(_charges(batch, acts)),
        events=tuple(_events(batch, acts)),
        entries=tuple(_entries(batch, acts)),
        samples=tuple(_samples(batch)),
        people=(),
    )
    _by(batch.issued_by, "issued the batch", acts)
    people = tuple(
        Person(id=who, acts=", ".join(sorted(done))) for who, done in sorted(acts.items())
    )
    return BatchRecord(**{**vars(made), "people": people})


def _phases(batch: Batch, acts: dict[str, set[str]]) -> Iterator[Phase]:
    found = batch.phases.select_related("started_by", "ended_by", "verified_by")
    for one in found.order_by("order"):
        yield Phase(
            order=one.order,
            unit_procedure=one.unit_procedure,
            operation=one.operation,
            name=one.name,
            state=one.state,
            started_at=_moment(one.started_at),
            ended_at=_moment(one.ended_at),
            started_by=_by(one.started_by, "started a phase", acts),
            ended_by=_by(one.ended_by, "ended a phase", acts),
            verified_by=_by(one.verified_by, "verified a phase", acts),
        )


def _parameters(batch: Batch) -> Iterator[Parameter]:
    for one in batch.parameters.order_by("pk"):
        yield Parameter(
            tag=one.tag, name=one.name, kind=one.kind, unit=one.unit, criticality=one.criticality,
            low=_number(one.low), high=_number(one.high), target=_number(one.target),
        )  # fmt: skip


def _materials(batch: Batch) -> Iterator[Material]:
    for one in batch.materials.select_related("phase").order_by("line"):
        yield Material(
            line=one.line, phase=one.phase.name, code=one.material_code, kind=one.kind,
            quantity=_number(one.quantity), unit=one.unit,
        )  # fmt: skip


def _charges(batch: Batch, acts: dict[str, set[str]]) -> Iterator[Charge]:
    found = batch.charges.select_related("phase", "lot", "material", "performed_by", "verified_by")
    for one in found.order_by("performed_at", "pk"):
        yield Charge(
            id=str(one.pk), phase=one.phase.name, material=one.material.material_code,
            lot=one.lot.number, net=_number(one.net), unit=one.unit,
            charged_at=one.performed_at.isoformat(),
            charged_by=_by(one.performed_by, "charged material", acts),
            verified_by=_by(one.verified_by, "verified a charge", acts),
        )  # fmt: skip


def _events(batch: Batch, acts: dict[str, set[str]]) -> Iterator[Event]:
    found = batch.events.select_related("source", "recorded_by").order_by("occurred_at", "pk")
    for one in found.iterator():
        yield Event(
            id=str(one.pk), kind=one.kind, occurred_at=one.occurred_at.isoformat(),
            occurred_text=one.occurred_text, recorded_at=one.recorded_at.isoformat(),
            phase=one.phase, text=one.text, tag=one.tag, value=one.value, unit=one.unit,
            details=canonical.dumps(one.details).decode() if one.details else "",
            source=one.source.name if one.source else "",
            recorded_by=_by(one.recorded_by, "recorded events", acts),
        )  # fmt: skip


def _entries(batch: Batch, acts: dict[str, set[str]]) -> Iterator[Entry]:
    found = batch.in_process_results.select_related(
        "phase", "parameter", "performed_by", "verified_by"
    )
    for one in found.order_by("performed_at", "pk"):
        yield Entry(
            id=str(one.pk), tag=one.parameter.tag, phase=one.phase.name if one.phase else "",
            value=one.value_text, unit=one.unit, standing=one.standing,
            performed_at=one.performed_at.isoformat(),
            performed_by=_by(one.performed_by, "entered values", acts),
            verified_by=_by(one.verified_by, "verified values", acts),
        )  # fmt: skip


def _samples(batch: Batch) -> Iterator[Sample]:
    for one in batch.samples.prefetch_related("results").order_by("taken_at", "pk"):
        yield Sample(
            number=one.number, point=one.point, taken_at=one.taken_at.isoformat(),
            results=tuple(
                Result(
                    id=str(each.pk), tag=each.tag, version=each.version, value=each.value_text,
                    unit=each.unit, judgement=each.judgement,
                    reported_at=each.reported_at.isoformat(),
                )
                for each in sorted(one.results.all(), key=lambda each: each.pk)
            ),
        )  # fmt: skip


def _by(person: User | None, did: str, acts: dict[str, set[str]]) -> str:
    if person is None:
        return ""
    identity = person.trail_identity().id
    acts.setdefault(identity, set()).add(did)
    return identity


def _moment(at: datetime | None) -> str:
    return "" if at is None else at.isoformat()


def _number(value: Decimal | None) -> str:
    return "" if value is None else f"{value:f}"
