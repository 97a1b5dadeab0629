"""Let people resolve what waits in quarantine; each way is an act with a reason."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from batches.assets import lots, materials
from batches.assets.lots import Receipt
from batches.assets.materials import MaterialDraft
from batches.assets.models import Material, MaterialKind, MaterialLot, Supplier
from batches.exchange import intake, landing, unit_aliases
from batches.exchange.actions import Action
from batches.exchange.formats.contents import Content, LotSaid, MaterialSaid
from batches.exchange.models.messages import Message, MessageState, SenderMapping
from batches.execution.models import Batch
from batches.quantities import numerals
from compliance.access import authority
from compliance.access.authority import Principal
from compliance.access.duties import Duty
from compliance.access.models import User
from compliance.refusals import Refused
from compliance.trail import recording


class NotInQuarantine(Refused):
    """Only what waits in quarantine is resolved."""

    code = "message-not-in-quarantine"


class NothingToReceive(Refused):
    code = "message-has-no-lot"
    status = 422


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """What a person adds to a lot that a message names: the message knows no supplier."""

    supplier: Supplier
    supplier_lot: str
    received_at: datetime
    location: str
    container_count: int = 1
    expires_on: date | None = None
    retest_on: date | None = None
    plausibility_note: str = ""


def try_again(
    message: Message, *, actor: User, at: datetime, reason: str, batch: Batch | None = None,
    mapping: SenderMapping | None = None,
) -> Message:  # fmt: skip
    """Map a message again, e.g. after an alias was approved, with a batch or a mapping chosen.

    It lands in the name of whoever sent it; what is still in the way is in its new report.
    """
    authority.demand(actor, Duty.INVESTIGATE)
    text = recording.demand_reason(reason)
    with recording.recording(Action.MESSAGE_RESOLVED, actor=actor, at=at, reason=text):
        held = _held(message)
        held.batch, held.mapping = batch or held.batch, mapping or held.mapping
        content = intake.content_of(held)
        landed = landing.land(held, content, actor=_sender(held), at=at)
        held.format, held.format_version = content.format, content.version
        held.report = {**content.report.as_json(), "landed": landed}
        # An attempt that changed nothing else is on record too: who tried, when and why.
        state = MessageState.RESOLVED if content.report.is_clean else MessageState.QUARANTINED
        _decide(held, state, text, actor=actor, at=at)
        held.save()
    return held


def dismiss(message: Message, *, actor: User, at: datetime, reason: str) -> Message:
    """Say for good that a message is not taken over, and why; its bytes are kept."""
    authority.demand(actor, Duty.INVESTIGATE)
    text = recording.demand_reason(reason)
    with recording.recording(Action.MESSAGE_DISMISSED, actor=actor, at=at, reason=text):
        held = _held(message)
        _decide(held, MessageState.REFUSED, text, actor=actor, at=at)
        held.save()
    return held


def receive_lots(
    message: Message, *, delivery: Delivery, actor: User, at: datetime, reason: str
) -> list[MaterialLot]:
    """Receive every lot of a message into quarantine, by a person of the warehouse."""
    text = recording.demand_reason(reason)
    with recording.recording(Action.MESSAGE_RESOLVED, actor=actor, at=at, reason=text):
        held = _held(message)
        content = intake.content_of(held)
        said = [item for item in content.items if isinstance(item, LotSaid)]
        if not said or len(said) != len(content.items):
            raise NothingToReceive(f"{held} names no lots, or something else beside them")
        made = [_receive(one, delivery, actor=actor, at=at) for one in said]
        _report(held, content, "lot", [one.pk for one in made])
        _decide(held, MessageState.RESOLVED, text, actor=actor, at=at)
        held.save()
    return made


def enter_material(
    message: Message, *, kind: MaterialKind, actor: User, at: datetime, reason: str
) -> list[Material]:
    """Enter the materials that a message defines, by a person who may."""
    text = recording.demand_reason(reason)
    with recording.recording(Action.MESSAGE_RESOLVED, actor=actor, at=at, reason=text):
        held = _held(message)
        content = intake.content_of(held)
        said = [item for item in content.items if isinstance(item, MaterialSaid)]
        if not said or len(said) != len(content.items):
            raise NothingToReceive(f"{held} defines no material, or something else beside it")
        made = [
            materials.create(
                MaterialDraft(
                    code=one.code, name=one.name or one.code, kind=kind,
                    unit=unit_aliases.meant(one.unit).code,
                ),
                actor=actor, at=at,
            )
            for one in said
        ]  # fmt: skip
        _report(held, content, "material", [one.pk for one in made])
        _decide(held, MessageState.RESOLVED, text, actor=actor, at=at)
        held.save()
    return made


def _held(message: Message) -> Message:
    # Only the message is locked: what it names is not changed here.
    held = Message.objects.select_for_update(of=("self",)).get(pk=message.pk)
    if held.state != MessageState.QUARANTINED:
        raise NotInQuarantine(f"{held} is {held.get_state_display().lower()}")
    return held


def _sender(message: Message) -> Principal:
    sender: Any = message.source or message.sent_by
    return sender  # type: ignore[no-any-return]


def _decide(message: Message, state: MessageState, text: str, *, actor: User, at: datetime) -> None:
    message.state, message.decision = state, text
    message.decided_by, message.decided_at = actor, at


def _receive(said: LotSaid, delivery: Delivery, *, actor: User, at: datetime) -> MaterialLot:
    material = Material.objects.filter(code=said.material).first()
    if material is None:
        raise NothingToReceive(f"there is no material {said.material[:40]}: enter it first")
    unit_aliases.demand(said.unit, expected=material.unit)
    quantity = numerals.decimal(said.quantity)
    if quantity is None:
        raise NothingToReceive(f"“{said.quantity[:40]}” is no quantity")
    receipt = Receipt(
        quantity=quantity, unit=material.unit, number=(said.sublot or said.lot)[:60],
        **vars(delivery),
    )  # fmt: skip
    return lots.receive(material, receipt=receipt, actor=actor, at=at)


def _report(message: Message, content: Content, kind: str, keys: list[int]) -> None:
    landed: Mapping[str, object] = {
        "kind": kind, "count": len(keys), "first": keys[0], "last": keys[-1],
    }  # fmt: skip
    message.report = {**content.report.as_json(), "landed": [landed]}
