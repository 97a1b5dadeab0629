"""Record what of a released batch leaves the site, and refuse what must not (21 CFR 211.150)."""

from datetime import datetime
from decimal import Decimal

from batches.disposition import standing
from batches.disposition.actions import Action
from batches.disposition.models import Decision, Market, Shipment
from batches.execution import blockers, states
from batches.execution.models import Batch
from batches.execution.states import Step
from compliance import numbering
from compliance.access import authority
from compliance.access.duties import Duty
from compliance.access.models import User
from compliance.refusals import Refused
from compliance.trail import recording


class NotCertified(Refused):
    """Into the European Union goes what a Qualified Person certified (Annex 16, 1.6)."""

    code = "not-certified"


class NotShippable(Refused):
    """Something stands against the batch now; `errors` names all of it."""

    code = "not-shippable"


class ShipmentInvalid(Refused):
    code = "shipment-invalid"
    status = 422


def record(
    batch: Batch, *, market: Market, consignee: str, quantity: Decimal, unit: str,
    shipped_at: datetime, actor: User, at: datetime,
) -> Shipment:  # fmt: skip
    """Record a shipment; the batch is released for its record as it is now, and certified for the EU."""
    authority.demand(actor, Duty.SHIP_BATCH)
    if quantity <= 0 or not unit.strip() or len(consignee.strip()) < 3:
        raise ShipmentInvalid("a shipment has a consignee, a quantity above 0 and a unit")
    reason = f"shipment of {batch.number} to {consignee.strip()}"
    with recording.recording(Action.BATCH_SHIPPED, actor=actor, at=at, reason=reason):
        held = states.take(batch, Step.SHIP)
        decision = standing.demand_release(held)
        _demand_nothing_against(held)
        certificate = standing.certificate(decision)
        if market == Market.EU and certificate is None:
            raise NotCertified(
                f"{held.number} is not certified for its record as it is now: ask the Qualified Person"
            )
        _demand_time(decision, shipped_at, at)
        return Shipment.objects.create(
            number=numbering.next_number(Shipment, prefix="SHIP", at=at),
            batch=held,
            decision=decision,
            certificate=certificate,
            market=market,
            consignee=consignee.strip(),
            quantity=quantity,
            unit=unit.strip(),
            shipped_at=shipped_at,
            recorded_by=actor,
            recorded_at=at,
        )


def _demand_nothing_against(batch: Batch) -> None:
    found = blockers.of(batch)
    if found:
        raise NotShippable(
            f"{batch.number} is not shipped: " + "; ".join(one.text for one in found),
            errors=[{"pointer": "/batch", "code": one.name, "detail": one.text} for one in found],
        )


def _demand_time(decision: Decision, shipped_at: datetime, at: datetime) -> None:
    if not decision.decided_at <= shipped_at <= at:
        raise ShipmentInvalid(
            f"it is shipped after its release ({decision.decided_at.isoformat()}) and not in the "
            "future"
        )
