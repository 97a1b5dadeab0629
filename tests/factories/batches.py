"""Batches, from their issue to their shipment."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from batches.disposition import certification, decisions, shipments
from batches.disposition import reviews as record_reviews
from batches.disposition.models import BatchReview, Certificate, Decision, Market, Outcome, Shipment
from batches.execution import batches, events, readings
from batches.execution.events import Reported
from batches.execution.models import Batch, BatchEvent, EventKind, ReadingSegment
from batches.execution.sample_bytes import Reading
from batches.laboratory import results, samples
from batches.laboratory.models import Result, Sample
from batches.recipes.models import MasterRecipe
from compliance.access.duties import Role
from compliance.access.models import Device, DeviceKind, User
from compliance.quality import trail_reviews
from compliance.quality.models import EntryOutcome, TrailReview
from compliance.signatures import signing
from compliance.trail.subjects import Wanted
from compliance.trail.verifier.contents import Kind
from tests.factories import common
from tests.factories.common import NOON
from tests.factories.people import confirmed, device, somebody
from tests.factories.recipes import recipe


def batch(of: MasterRecipe | None = None, *, at: datetime = NOON) -> Batch:
    """Return an issued batch."""
    return batches.issue(
        of or recipe(at=at),
        number=f"B-{next(common.numbers):04d}",
        actor=somebody(Role.SUPERVISOR, at=at),
        at=at,
    )


def happened(
    to: Batch, kind: EventKind, *, by: Device | None = None, at: datetime = NOON,
    **said: object,
) -> BatchEvent:  # fmt: skip
    """Record an event that occurs at `at` and is recorded at once."""
    text = "foam" if kind == EventKind.OBSERVATION else ""
    reported = Reported(kind=kind, occurred_at=at, occurred_text=at.isoformat(), text=text)
    return events.record(
        to,
        reported=replace(reported, **said),
        message_id=f"message-{next(common.numbers)}",
        actor=by or device(at=at),
        at=at,
    )


def running_batch(of: MasterRecipe | None = None, *, at: datetime = NOON) -> Batch:
    made = batch(of, at=at)
    happened(made, EventKind.BATCH_STARTED, at=at)
    made.refresh_from_db()
    return made


def stored(
    to: Batch, rows: Iterable[Reading], *, by: Device | None = None, at: datetime = NOON
) -> ReadingSegment:
    return readings.store(
        to,
        rows=list(rows),
        message_id=f"message-{next(common.numbers)}",
        source=by or device(DeviceKind.HISTORIAN, at=at),
        content_digest="0" * 64,
        at=at,
    )


def temperatures(*values: str, since: datetime = NOON) -> Sequence[Reading]:
    """Return readings of the temperature, one a minute."""
    return [
        Reading("temperature_c", since + timedelta(minutes=number), Decimal(value), "Cel")
        for number, value in enumerate(values)
    ]


def sample(of: Batch, *, at: datetime = NOON) -> Sample:
    return samples.take(
        of,
        number=f"S-{next(common.numbers)}",
        taken_at=at,
        actor=device(DeviceKind.LIMS, at=at),
        at=at,
    )


def result(
    of: Sample, *, tag: str = "mab_g_l", value: str = "3.10", unit: str = "g/L",
    at: datetime = NOON, version: int = 1, reason: str = "", by: Device | None = None,
) -> Result:  # fmt: skip
    return results.report(
        of,
        tag=tag,
        value_text=value,
        unit=unit,
        reported_at=at,
        message_id=f"message-{next(common.numbers)}",
        actor=by or device(DeviceKind.LIMS, at=at),
        at=at,
        version=version,
        reason=reason,
    )


def completed_batch(of: MasterRecipe | None = None, *, at: datetime = NOON) -> Batch:
    """Return a batch that was made as its recipe says: nothing stands against its release."""
    made = running_batch(of, at=at)
    source = device(at=at)
    for phase in made.phases.order_by("order"):
        happened(made, EventKind.PHASE_STARTED, by=source, at=at, phase=phase.name)
        happened(made, EventKind.PHASE_ENDED, by=source, at=at, phase=phase.name)
    stored(made, temperatures("36.8", since=at), at=at)
    result(sample(made, at=at), at=at)
    recorded_by_mes(made, by=source, at=at)
    happened(made, EventKind.BATCH_ENDED, by=source, at=at)
    made.refresh_from_db()
    review(made, at=at)
    return made


def review(of: Batch, *, by: User | None = None, at: datetime = NOON) -> BatchReview:
    """Return a signed review of a batch record as it is now; somebody else reviewed its trail."""
    signer = by or somebody(Role.QUALITY_ASSURANCE, "reviewer", at=at)
    if trail_reviews.current_of(Kind.BATCH, of.number) is None:
        batch_trail_review(of, at=at)
    return record_reviews.sign(
        of,
        seen=signing.digest(Batch.objects.get(pk=of.pk)),
        remarks="every exception was looked at",
        confirmed=confirmed(signer, at=at),
    )


def batch_trail_review(of: Batch, *, by: User | None = None, at: datetime = NOON) -> TrailReview:
    """Return a concluded review of the audit trail of a batch as it is now."""
    reviewer = by or somebody(Role.QUALITY_ASSURANCE, "reviewer of trails", at=at)
    wanted = Wanted(kind=Kind.BATCH, name=of.number)
    made = trail_reviews.open_(wanted, seed="seed of a test", actor=reviewer, at=at)
    for sampled in made.sample.order_by("entry"):
        trail_reviews.assess(
            sampled, outcome=EntryOutcome.NO_CONCERN, text="", actor=reviewer, at=at
        )
    return trail_reviews.conclude(
        made, conclusion="the entries say what the record says",
        confirmed=confirmed(reviewer, at=at),
    )  # fmt: skip


def decision(
    about: Batch, outcome: Outcome = Outcome.RELEASED, *, by: User | None = None,
    at: datetime = NOON, **said: Any,
) -> Decision:  # fmt: skip
    """Decide about a batch as a person of quality."""
    signer = by or somebody(Role.QUALITY_ASSURANCE, "decider", at=at)
    return decisions.decide(
        about,
        outcome=outcome,
        confirmed=confirmed(signer, at=at),
        reason="the record was reviewed",
        **said,
    )


def released_batch(of: MasterRecipe | None = None, *, at: datetime = NOON) -> Batch:
    """Return a batch that was reviewed and released."""
    made = completed_batch(of, at=at)
    decision(made, at=at)
    made.refresh_from_db()
    return made


def certificate(of: Batch, *, at: datetime = NOON, **said: Any) -> Certificate:
    """Certify a released batch as a Qualified Person."""
    signer = somebody(Role.QUALIFIED_PERSON, at=at)
    return certification.certify(of, confirmed=confirmed(signer, at=at), **said)


def shipment(of: Batch, *, market: Market = Market.EU, at: datetime = NOON) -> Shipment:
    return shipments.record(
        of, market=market, consignee="A wholesaler", quantity=Decimal("120"), unit="{vial}",
        shipped_at=at, actor=somebody(Role.WAREHOUSE, at=at), at=at,
    )  # fmt: skip


def recorded_by_mes(to: Batch, *, by: Device, at: datetime = NOON, but: str = "") -> None:
    """Let the MES record whatever 21 CFR 211.188(b) asks of the batch, but one sub-clause."""
    for clause, kind, said in complete_record(to):
        if clause != but:
            happened(to, kind, by=by, at=at, **said)


def complete_record(of: Batch) -> Iterable[tuple[str, EventKind, dict[str, object]]]:
    """Yield the events of a complete record, each with the sub-clause that asks for it."""
    for need in of.equipment_needs.all():
        details = {"equipment_kind": need.kind, "equipment": "BR-01"}
        yield "(b)(2)", EventKind.OBSERVATION, {"details": details}
    for line in of.materials.all():
        details = {
            "material": line.material_code, "lot": "LOT-1", "unit": line.unit,
            "quantity": f"{line.quantity:f}",
        }  # fmt: skip
        yield "(b)(3)", EventKind.ADDITION, {"details": details}
        details = {
            "reconciled": line.material_code, "lot": "LOT-1", "unit": line.unit,
            "issued": f"{line.quantity:f}", "charged": f"{line.quantity:f}",
        }  # fmt: skip
        yield "reconciliation", EventKind.OBSERVATION, {"details": details}
    for expected in of.yields.select_related("phase"):
        details = {"yield_quantity": f"{expected.quantity:f}", "yield_unit": expected.unit}
        yield "(b)(7)", EventKind.OBSERVATION, {"details": details, "phase": expected.phase.name}
    for label in of.labels.all():
        details = {"label": label.code, "labels_issued": "1", "labels_used": "1"}
        yield "(b)(8)", EventKind.OBSERVATION, {"details": details}
    for point in of.sampling.all():
        for _ in range(point.count):
            yield "(b)(10)", EventKind.SAMPLING, {"details": {"point": point.name}}
    for kind in ("area-before", "area-after"):
        yield "(b)(6)", EventKind.OBSERVATION, {"details": {"examination": kind}}
    yield "(b)(13)", EventKind.OBSERVATION, {"details": {"examination": "packages"}}
