"""Keep what is declared of a sender's columns and properties, in approved versions."""

import re
from datetime import datetime
from typing import Any

from django.db.models import Max

from batches.exchange import declaring
from batches.exchange.actions import Action
from batches.exchange.formats import declared
from batches.exchange.models.messages import DeclarationState, SenderMapping
from compliance.access import authority
from compliance.access.duties import Duty
from compliance.access.models import User
from compliance.refusals import Refused
from compliance.trail import recording

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{1,58}")


class MappingUnknown(Refused):
    code = "mapping-unknown"
    status = 422


def propose(name: str, *, definition: Any, actor: User, at: datetime, reason: str) -> SenderMapping:
    """Propose the next version of a mapping; raise `declared.DeclarationInvalid`."""
    authority.demand(actor, Duty.AUTHOR_SPECIFICATION)
    text = recording.demand_reason(reason)
    if not _NAME.fullmatch(name):
        raise declared.DeclarationInvalid("a mapping is named in small letters, digits and dashes")
    declared.parse(definition)
    with recording.recording(Action.MAPPING_PROPOSED, actor=actor, at=at, reason=text):
        declaring.queue(f"sender-mapping:{name}")
        last = SenderMapping.objects.filter(name=name).aggregate(last=Max("version"))["last"] or 0
        return SenderMapping.objects.create(
            name=name, version=last + 1, definition=definition, reason=text, proposed_by=actor,
            proposed_at=at,
        )  # fmt: skip


def approve(mapping: SenderMapping, *, actor: User, at: datetime, reason: str) -> SenderMapping:
    """Approve a mapping as a second person; it takes the place of the version before it."""
    with recording.recording(
        Action.MAPPING_DECIDED, actor=actor, at=at, reason=recording.demand_reason(reason)
    ):
        declaring.queue(f"sender-mapping:{mapping.name}")
        before = SenderMapping.objects.filter(name=mapping.name, state=DeclarationState.EFFECTIVE)
        return declaring.approve(mapping, before=before, actor=actor, at=at)


def withdraw(mapping: SenderMapping, *, actor: User, at: datetime, reason: str) -> SenderMapping:
    with recording.recording(
        Action.MAPPING_DECIDED, actor=actor, at=at, reason=recording.demand_reason(reason)
    ):
        return declaring.withdraw(mapping, actor=actor)


def effective(name: str) -> SenderMapping:
    """Return the version in force, or raise `MappingUnknown`."""
    found = SenderMapping.objects.filter(name=name, state=DeclarationState.EFFECTIVE).first()
    if found is None:
        raise MappingUnknown(f"there is no effective mapping “{name[:60]}”")
    return found
